-- What is due on 23 November 2026 at 11:00 in London, written by hand for this schema alone: the keys of each record type.
-- Three years before is 22 November 2023: due is what was last touched before 23 November 2023 00:00. What stays keeps
-- other things: a ticket its user, its collaborators, the tickets with which it shares a file; a user the tickets of the
-- last contact. So this follows what stays from one to the next.

-- == shared
WITH RECURSIVE moment AS (
  SELECT user_id, ticket_id, created FROM st_ticket
  UNION ALL
  SELECT t.user_id, t.ticket_id, e.created
  FROM st_ticket t JOIN st_thread h ON h.object_id = t.ticket_id AND h.object_type = 'T'
  JOIN st_thread_entry e ON e.thread_id = h.id
), contact AS (
  SELECT user_id, max(created) AS latest FROM moment WHERE user_id IN (SELECT id FROM st_user) GROUP BY user_id
), file_use AS (
  SELECT a.file_id, h.object_id AS ticket_id, h.object_type
  FROM st_attachment a JOIN st_thread_entry e ON e.id = a.object_id JOIN st_thread h ON h.id = e.thread_id
  WHERE a.object_type = 'H'
), shared_file AS (
  SELECT file_id, ticket_id FROM file_use WHERE object_type = 'T'
), contested AS (                    -- files that a task of the staff needs, too: nobody can decide, so they stay
  SELECT file_id, ticket_id FROM shared_file WHERE file_id IN (SELECT file_id FROM file_use WHERE object_type = 'A')
), edge AS (                         -- if the first stays, so does the second
  SELECT 't' AS kind, ticket_id AS id, 'u' AS other_kind, user_id AS other FROM st_ticket
  UNION ALL
  SELECT 'u', m.user_id, 't', m.ticket_id
  FROM moment m JOIN contact c ON c.user_id = m.user_id AND date(c.latest) = date(m.created)
  UNION ALL
  SELECT 't', h.object_id, 'u', c.user_id FROM st_collaborator c JOIN st_thread h ON h.id = c.thread_id
  WHERE h.object_type = 'T'
  UNION ALL
  SELECT 't', a.ticket_id, 't', b.ticket_id FROM shared_file a JOIN shared_file b ON b.file_id = a.file_id
), stays AS (
  SELECT 't' AS kind, t.ticket_id AS id
  FROM st_ticket t LEFT JOIN contact c ON c.user_id = t.user_id
  WHERE c.latest IS NULL OR c.latest >= '2023-11-23 00:00:00'
     OR t.status_id NOT IN (SELECT id FROM st_ticket_status WHERE state <> 'open')
  UNION
  SELECT 't', ticket_id FROM contested
  UNION
  SELECT 'u', u.id FROM st_user u LEFT JOIN contact c ON c.user_id = u.id
  WHERE coalesce(c.latest, u.created) IS NULL OR coalesce(c.latest, u.created) >= '2023-11-23 00:00:00'
  UNION
  SELECT edge.other_kind, edge.other FROM stays JOIN edge ON edge.kind = stays.kind AND edge.id = stays.id
), due_user AS (
  SELECT id FROM st_user WHERE id NOT IN (SELECT id FROM stays WHERE kind = 'u')
), due_ticket AS (
  SELECT ticket_id AS id FROM st_ticket WHERE ticket_id NOT IN (SELECT id FROM stays WHERE kind = 't')
), due_thread AS (
  SELECT id FROM st_thread WHERE object_type = 'T' AND object_id IN (SELECT id FROM due_ticket)
), due_entry AS (
  SELECT id FROM st_thread_entry WHERE thread_id IN (SELECT id FROM due_thread)
)

-- == user
SELECT id FROM due_user

-- == email
SELECT id FROM st_user_email WHERE user_id IN (SELECT id FROM due_user)

-- == ticket
SELECT id FROM due_ticket

-- == thread
SELECT id FROM due_thread

-- == entry
SELECT id FROM due_entry

-- == collaborator
SELECT id FROM st_collaborator WHERE thread_id IN (SELECT id FROM due_thread)

-- == attachment
SELECT id FROM st_attachment WHERE object_type = 'H' AND object_id IN (SELECT id FROM due_entry)

-- == file
SELECT DISTINCT file_id FROM shared_file WHERE ticket_id IN (SELECT id FROM due_ticket)

-- == user_value
SELECT object_type, object_id, field FROM st_form_value
WHERE object_type = 'U' AND object_id IN (SELECT id FROM due_user)

-- == ticket_value
SELECT object_type, object_id, field FROM st_form_value
WHERE object_type = 'T' AND object_id IN (SELECT id FROM due_ticket)
