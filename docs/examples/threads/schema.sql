-- A support desk in the style of a well-known open-source ticket system: one table of threads for tickets and for the
-- staff's own tasks, one of attachments and one of form values for everything (`object_type` says for what), files that
-- several messages share, and people who are copied in on the tickets of others. No foreign keys.

CREATE TABLE st_user (
  id INTEGER NOT NULL PRIMARY KEY,
  name VARCHAR(128) NOT NULL,
  created DATETIME NULL
);

CREATE TABLE st_user_email (
  id INTEGER NOT NULL PRIMARY KEY,
  user_id INTEGER NOT NULL,
  address VARCHAR(255) NOT NULL UNIQUE
);
CREATE INDEX st_user_email_user ON st_user_email (user_id);

CREATE TABLE st_ticket_status (
  id INTEGER NOT NULL PRIMARY KEY,
  state VARCHAR(16) NOT NULL
);

CREATE TABLE st_ticket (
  ticket_id INTEGER NOT NULL PRIMARY KEY,
  number VARCHAR(20) NOT NULL,
  user_id INTEGER NOT NULL,
  status_id INTEGER NOT NULL,
  created DATETIME NULL
);
CREATE INDEX st_ticket_user ON st_ticket (user_id);

CREATE TABLE st_thread (
  id INTEGER NOT NULL PRIMARY KEY,
  object_type CHAR(1) NOT NULL,
  object_id INTEGER NOT NULL
);
CREATE INDEX st_thread_object ON st_thread (object_id, object_type);

CREATE TABLE st_thread_entry (
  id INTEGER NOT NULL PRIMARY KEY,
  thread_id INTEGER NOT NULL,
  poster VARCHAR(128),
  body TEXT,
  created DATETIME NULL
);
CREATE INDEX st_thread_entry_thread ON st_thread_entry (thread_id);

CREATE TABLE st_collaborator (
  id INTEGER NOT NULL PRIMARY KEY,
  thread_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL
);
CREATE INDEX st_collaborator_thread ON st_collaborator (thread_id);
CREATE INDEX st_collaborator_user ON st_collaborator (user_id);

CREATE TABLE st_file (
  id INTEGER NOT NULL PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  size INTEGER NOT NULL
);

CREATE TABLE st_attachment (
  id INTEGER NOT NULL PRIMARY KEY,
  object_type CHAR(1) NOT NULL,
  object_id INTEGER NOT NULL,
  file_id INTEGER NOT NULL
);
CREATE INDEX st_attachment_object ON st_attachment (object_id, object_type);
CREATE INDEX st_attachment_file ON st_attachment (file_id);

CREATE TABLE st_form_value (
  object_type CHAR(1) NOT NULL,
  object_id INTEGER NOT NULL,
  field VARCHAR(64) NOT NULL,
  value VARCHAR(255),
  PRIMARY KEY (object_type, object_id, field)
);
CREATE INDEX st_form_value_object ON st_form_value (object_id, object_type);
