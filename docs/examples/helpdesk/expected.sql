-- What is due on 23 November 2026 at noon in Berlin, written by hand for this schema alone: the keys of each record type.
-- Three years before is 22 November 2023: due is what was last touched before 23 November 2023 00:00 in Berlin,
-- 1700694000 in epoch seconds. x + 3600 - (x + 3600) % 86400 is the day of a moment x.

-- == shared
WITH member AS (                     -- tickets of people, and of nobody
  SELECT * FROM ticket WHERE customer_user_id IS NULL OR customer_user_id NOT IN ('root@localhost', 'spam')
), moment AS (
  SELECT customer_user_id AS login, id AS ticket_id, create_time_unix AS x FROM member
  UNION ALL
  SELECT member.customer_user_id, member.id, m.incoming_time
  FROM member JOIN article a ON a.ticket_id = member.id JOIN article_data_mime m ON m.article_id = a.id
  WHERE m.incoming_time <> 0
), contact AS (
  SELECT login, max(x) AS x FROM moment WHERE login IN (SELECT login FROM customer_user) GROUP BY login
), warranty AS (
  SELECT object_id AS ticket_id, max(value_date) AS until FROM dynamic_field_value WHERE field_id = 1 GROUP BY object_id
), open_state AS (                   -- a state that the look-up table does not know counts as open
  SELECT DISTINCT ticket_state_id AS id FROM ticket WHERE ticket_state_id NOT IN (
    SELECT s.id FROM ticket_state s JOIN ticket_state_type t ON t.id = s.type_id
    WHERE t.name NOT IN ('new', 'open', 'pending'))
), past AS (                         -- tickets whose own rule has run out
  SELECT t.id, t.customer_user_id AS login
  FROM member t LEFT JOIN contact c ON c.login = t.customer_user_id LEFT JOIN warranty w ON w.ticket_id = t.id
  WHERE (c.login IS NOT NULL AND c.x < 1700694000 AND t.ticket_state_id NOT IN (SELECT id FROM open_state)
         AND (w.until IS NULL OR (w.until < '2026-11-23' AND w.until NOT LIKE 's%')))
     OR (c.login IS NULL AND t.create_time_unix < 1700694000)
), staying AS (                      -- customers of whom some ticket stays
  SELECT DISTINCT customer_user_id AS login FROM member
  WHERE customer_user_id IS NOT NULL AND id NOT IN (SELECT id FROM past)
), due_ticket AS (                   -- the ticket of the last contact stays while any other of the customer does
  SELECT id FROM past WHERE login IS NULL OR login NOT IN (SELECT login FROM staying) OR id NOT IN (
    SELECT m.ticket_id FROM moment m JOIN contact c ON c.login = m.login
    WHERE m.x + 3600 - (m.x + 3600) % 86400 = c.x + 3600 - (c.x + 3600) % 86400)
)

-- == customer
SELECT u.id FROM customer_user u LEFT JOIN contact c ON c.login = u.login
WHERE u.login NOT IN ('root@localhost', 'spam')
  AND u.login NOT IN (SELECT login FROM staying)
  AND (c.x < 1700694000 OR (c.x IS NULL AND u.create_time < '2023-11-23'))

-- == ticket
SELECT id FROM due_ticket

-- == article
SELECT id FROM article WHERE ticket_id IN (SELECT id FROM due_ticket)

-- == message
SELECT m.id FROM article_data_mime m JOIN article a ON a.id = m.article_id WHERE a.ticket_id IN (SELECT id FROM due_ticket)

-- == history
SELECT id FROM ticket_history WHERE ticket_id IN (SELECT id FROM due_ticket)

-- == ticket_field
SELECT id FROM dynamic_field_value WHERE field_id IN (1, 2) AND object_id IN (SELECT id FROM due_ticket)

-- == customer_field
SELECT v.id FROM dynamic_field_value v JOIN customer_user u ON u.id = v.object_id LEFT JOIN contact c ON c.login = u.login
WHERE v.field_id = 3 AND u.login NOT IN (SELECT login FROM staying)
  AND (c.x < 1700694000 OR (c.x IS NULL AND u.create_time < '2023-11-23'))
