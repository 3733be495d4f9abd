"""The words of the demonstration. Nobody in it exists.

Telephone numbers lie in the ranges that Ofcom keeps free for drama, e-mail addresses in the domains of
RFC 2606, the towns are invented, ZZ is no postcode area, and the cards are the test numbers that payment
processors publish.
"""

from __future__ import annotations


def _list(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


FIRST_NAMES = _list(
    """
    Aisha, Alan, Alice, Amelia, Andrew, Anita, Arthur, Barbara, Ben, Brenda, Callum, Carol, Catherine,
    Charlotte, Chloe, Colin, Daniel, David, Deepa, Derek, Diane, Duncan, Edward, Eleanor, Emily, Emma,
    Farah, Fiona, Gareth, George, Grace, Graham, Hannah, Harpreet, Harry, Helen, Hugh, Imran, Irene,
    Isla, Jack, James, Janet, Jasmine, Joan, Joseph, Joyce, Karen, Keith, Kwame, Laura, Leonard, Lily,
    Linda, Lucy, Malcolm, Margaret, Martin, Mary, Mei, Michael, Mohammed, Molly, Nadia, Nigel, Nisha,
    Norman, Oliver, Olivia, Owen, Patricia, Paul, Peter, Priya, Rachel, Ravi, Rhys, Robert, Rosemary,
    Ruth, Ryan, Samuel, Sandra, Sarah, Sean, Sheila, Simon, Sophie, Stephen, Susan, Thomas, Tracey,
    Trevor, Victoria, Vikram, Wendy, William, Yasmin, Zoe
    """
)

SURNAMES = _list(
    """
    Adams, Ahmed, Allen, Anderson, Bailey, Baker, Barnes, Begum, Bell, Bennett, Brown, Butler, Campbell,
    Carter, Chapman, Clark, Clarke, Collins, Cook, Cooper, Cox, Davies, Davis, Dixon, Edwards, Ellis,
    Evans, Fisher, Foster, Fox, Gibson, Graham, Gray, Green, Griffiths, Hall, Harris, Harrison, Harvey,
    Hill, Holmes, Howard, Hughes, Hunt, Hussain, Jackson, James, Jenkins, Johnson, Jones, Kaur, Kelly,
    Khan, King, Knight, Lee, Lewis, Lloyd, MacDonald, Marshall, Martin, Mason, Matthews, Miller, Mills,
    Mitchell, Moore, Morgan, Morris, Murphy, Murray, Okafor, Owen, Palmer, Parker, Patel, Phillips,
    Powell, Price, Reid, Reynolds, Richards, Richardson, Roberts, Robinson, Rogers, Russell, Scott,
    Shah, Shaw, Simpson, Singh, Smith, Stevens, Stewart, Taylor, Thomas, Thompson, Turner, Walker, Ward,
    Watson, Webb, White, Wilkinson, Williams, Wilson, Wood, Wright, Young, O'Brien, Ap-Rhys
    """
)

STREETS = _list(
    """
    Station Road, High Street, Church Lane, Victoria Road, Mill Lane, Green Lane, Manor Road, Park
    Avenue, The Crescent, Queens Road, Alexandra Terrace, Chapel Street, Orchard Close, Windmill Hill,
    School Lane, North Street, Grange Road, The Paddock, Kiln Way, Priory Gardens
    """
)

TOWNS = _list(
    """
    Thornbridge, Castlemere, Eastwick Bay, Nether Holling, Great Farrow, Silverdene, Ashcombe Vale,
    Harrowgate End, Kingsmarsh, Oldport, Wetherholt, Brackenford, Little Sedding, Stonewick, Moorhaven
    """
)

EMAIL_DOMAINS = ("example.com", "example.org", "example.net")
TELEPHONE_PREFIXES = ("01632 960", "07700 900")  # three more digits follow
COURIERS = ("Parcelwise", "Northern Carriers", "Swiftvan", "Counter drop-off")

CARD_NUMBERS = (
    "4111111111111111",
    "4242424242424242",
    "4012888888881881",
    "4000056655665556",
    "5555555555554444",
    "5105105105105100",
    "5200828282828210",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
)

# model, what fails on it, what a repair does about it
MODELS = (
    ("Aquila WM7 washing machine", "stops in mid-cycle and shows E18", "replaced the drain pump"),
    ("Aquila WM9 washing machine", "leaks from the door", "fitted a new door seal"),
    ("Aquila TD8 tumble dryer", "does not heat", "replaced the thermostat and cleaned the ducts"),
    ("Brio DW45 dishwasher", "does not drain", "cleared the filter, replaced the outlet hose"),
    ("Brio DW60 dishwasher", "trips the fuse", "replaced the heating element"),
    ("Calor FF20 fridge freezer", "ices up", "replaced the defrost sensor"),
    ("Calor FF32 fridge freezer", "makes a loud humming noise", "changed the compressor mounts"),
    ("Dorado OV3 built-in oven", "does not reach the set temperature", "calibrated the thermostat"),
    ("Dorado HB4 induction hob", "switches its left zone off after a minute", "replaced the power board"),
    ("Etna MW25 microwave", "no longer turns its plate", "replaced the turntable motor"),
    ("Fino CM2 coffee machine", "is noisy and gives no water", "descaled it and replaced the pump"),
    ("Fino VC5 vacuum cleaner", "has no suction", "replaced the motor brushes and the filter"),
)

# {model} and {fault} are filled in; the first contact about a fault, then those that follow it up
REASONS = (
    "{model} {fault}",
    "Says that the {model} {fault} since yesterday",
    "{model} {fault}, wants an engineer",
    "Asks whether the warranty covers it: {model} {fault}",
)
FOLLOW_UPS = (
    "Asks how far the repair of the {model} is",
    "Courier did not come for the {model}",
    "Question about the estimate for the {model}",
    "{model} still {fault} after the reset we talked about",
    "Wants to change the delivery address for the {model}",
    "Thanks us, {model} works again",
)
RESOLUTIONS = (
    "Walked through the reset, solved on the phone",
    "Booked in for repair",
    "Sent the user guide by e-mail",
    "Called back, customer out, left a message",
    "Explained the warranty terms",
    "Passed on to the workshop",
    "New collection agreed",
    "No further action",
)
OPEN_STATES = ("booked in", "in the workshop", "waiting for parts", "waiting for customer")
