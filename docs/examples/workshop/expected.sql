-- What is due on 23 November 2026 at 11:00 in London, written by hand for this schema alone: the keys of each record type
-- and step. The ends of warranties are taken from what was printed on their cards.

-- == shared
WITH person AS (
  SELECT * FROM "Customer" WHERE "Kind" <> 'staff'
), contact AS (
  SELECT "Customer No" AS who, max(x) AS latest FROM (
    SELECT "Customer No", "At" AS x FROM "Call" UNION ALL
    SELECT "Customer No", "Accepted" FROM "order" UNION ALL
    SELECT "Customer No", "Done" FROM "order") moment
  GROUP BY "Customer No"
), warranty AS (                     -- a number of months that is none makes everything undecidable that counts on it
  SELECT "Customer No" AS who, max("Printed Until") AS until,
         max(CASE WHEN "Warranty Months" = 'n/a' THEN 1 ELSE 0 END) AS odd
  FROM "Device" GROUP BY "Customer No"
), run_out AS (                      -- people whose own period has run out
  SELECT p."No" AS who FROM person p LEFT JOIN contact c ON c.who = p."No" LEFT JOIN warranty w ON w.who = p."No"
  WHERE (c.latest < '2023-11-23 00:00:00' OR (c.latest IS NULL AND p."Since" < '2023-11-23'))
    AND (w.who IS NULL OR (w.odd = 0 AND (w.until IS NULL OR w.until < '2026-11-23')))
), past AS (                         -- orders whose own period has run out
  SELECT o."Branch", o."No", o."Customer No" AS who, o."Accepted", o."Done"
  FROM "order" o JOIN person p ON p."No" = o."Customer No"
  LEFT JOIN "Device" d ON d."Customer No" = o."Customer No" AND d."Serial" = o."Serial"
  WHERE o."Status" IN ('done', 'cancelled') AND coalesce(o."Done", o."Accepted") < '2024-11-23 00:00:00'
    AND (d."Serial" IS NULL OR d."Warranty Months" IS NULL
         OR (d."Warranty Months" <> 'n/a' AND d."Printed Until" < '2026-11-23'))
), gone AS (                         -- people of whom nothing stays
  SELECT who FROM run_out WHERE who NOT IN (
    SELECT o."Customer No" FROM "order" o LEFT JOIN past ON past."Branch" = o."Branch" AND past."No" = o."No"
    WHERE past."No" IS NULL)
), due_order AS (                    -- the order of the last contact stays as long as the person does
  SELECT past."Branch", past."No" FROM past JOIN contact c ON c.who = past.who
  WHERE past.who IN (SELECT who FROM gone)
     OR NOT (past."Accepted" = c.latest OR coalesce(past."Done", past."Accepted") = c.latest)
)

-- == customer
SELECT who FROM gone

-- == device
SELECT "Customer No", "Serial" FROM "Device" WHERE "Customer No" IN (SELECT who FROM gone)

-- == order
SELECT "Branch", "No" FROM due_order

-- == line
SELECT l."Branch", l."No", l."Line" FROM "order line" l JOIN due_order o ON o."Branch" = l."Branch" AND o."No" = l."No"

-- == call
SELECT k."Id" FROM "Call" k JOIN contact c ON c.who = k."Customer No"
WHERE c.who IN (SELECT who FROM run_out) AND (c.who IN (SELECT who FROM gone) OR k."At" <> c.latest)

-- == payment
SELECT k."Id" FROM "Payment" k LEFT JOIN "order" o ON o."Branch" = k."Branch" AND o."No" = k."Order No"
WHERE k."Paid" < '2020-11-23' AND (o."No" IS NULL OR o."Customer No" IN (SELECT "No" FROM person))

-- == payment.card
SELECT k."Id" FROM "Payment" k LEFT JOIN "order" o ON o."Branch" = k."Branch" AND o."No" = k."Order No"
WHERE k."Paid" < '2025-10-23' AND k."Card Number" <> '0000' AND (o."No" IS NULL OR o."Customer No" IN (SELECT "No" FROM person))

-- == payment.identity
SELECT k."Id" FROM "Payment" k JOIN due_order o ON o."Branch" = k."Branch" AND o."No" = k."Order No"
