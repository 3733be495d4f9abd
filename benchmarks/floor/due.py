"""What PostgreSQL and MariaDB say alike: what is due, once their temporary tables are filled."""

DUE_PAYMENT = "taken_at >= '1900-01-01' AND taken_at < %(years_6)s AND taken_at <> %(empty)s"
DUE_CARD = """
    taken_at >= '1900-01-01' AND taken_at < %(months_13)s AND taken_at <> %(empty)s
    AND (card_number IS NOT NULL OR card_expiry IS NOT NULL)
"""

KEYS = {
    "customer": "SELECT id FROM due_customer",
    "product": "SELECT p.id FROM products p JOIN due_customer d ON d.id = p.customer_id",
    "call": "SELECT id FROM due_call",
    "repair": "SELECT id FROM due_repair",
    "consignment": "SELECT c.id FROM consignments c JOIN due_repair d ON d.id = c.repair_id",
    "payment": f"SELECT id FROM payments WHERE {DUE_PAYMENT}",
    "payment.card": f"SELECT id FROM payments WHERE {DUE_CARD}",
    "payment.identity": "SELECT p.id FROM payments p JOIN due_repair d ON d.id = p.repair_id",
}
