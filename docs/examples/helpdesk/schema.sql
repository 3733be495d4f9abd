-- A help desk in the style of a well-known open-source ticket system: no foreign keys at all, customers known by their
-- login, moments as epoch seconds, and extra fields as rows of a table.

CREATE TABLE customer_user (
  id INTEGER NOT NULL PRIMARY KEY,
  login VARCHAR(100) NOT NULL UNIQUE,
  email VARCHAR(150) NOT NULL,
  first_name VARCHAR(100) NOT NULL,
  last_name VARCHAR(100) NOT NULL,
  phone VARCHAR(150),
  street VARCHAR(150),
  zip VARCHAR(20),
  city VARCHAR(100),
  create_time DATE
);

CREATE TABLE ticket_state_type (
  id INTEGER NOT NULL PRIMARY KEY,
  name VARCHAR(100) NOT NULL
);

CREATE TABLE ticket_state (
  id INTEGER NOT NULL PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  type_id INTEGER NOT NULL
);

CREATE TABLE ticket (
  id INTEGER NOT NULL PRIMARY KEY,
  tn VARCHAR(50) NOT NULL UNIQUE,
  title VARCHAR(255),
  ticket_state_id INTEGER NOT NULL,
  customer_user_id VARCHAR(100),
  create_time_unix BIGINT NOT NULL
);
CREATE INDEX ticket_customer ON ticket (customer_user_id);

CREATE TABLE article (
  id INTEGER NOT NULL PRIMARY KEY,
  ticket_id INTEGER NOT NULL,
  sender_type VARCHAR(20) NOT NULL
);
CREATE INDEX article_ticket ON article (ticket_id);

CREATE TABLE article_data_mime (
  id INTEGER NOT NULL PRIMARY KEY,
  article_id INTEGER NOT NULL,
  a_from VARCHAR(255),
  a_subject VARCHAR(255),
  a_body TEXT,
  incoming_time BIGINT NOT NULL
);
CREATE INDEX article_data_mime_article ON article_data_mime (article_id);

CREATE TABLE ticket_history (
  id INTEGER NOT NULL PRIMARY KEY,
  ticket_id INTEGER NOT NULL,
  name VARCHAR(200) NOT NULL
);
CREATE INDEX ticket_history_ticket ON ticket_history (ticket_id);

CREATE TABLE dynamic_field (
  id INTEGER NOT NULL PRIMARY KEY,
  name VARCHAR(200) NOT NULL,
  object_type VARCHAR(100) NOT NULL
);

CREATE TABLE dynamic_field_value (
  id INTEGER NOT NULL PRIMARY KEY,
  field_id INTEGER NOT NULL,
  object_id BIGINT NOT NULL,
  value_text VARCHAR(500),
  value_date VARCHAR(30)
);
CREATE INDEX dynamic_field_value_object ON dynamic_field_value (object_id, field_id);
