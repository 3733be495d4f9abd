-- A repair shop's system as many firms had one written: names with spaces and capitals, a table called "order", keys that
-- are text or have two columns, declared foreign keys, and warranties as a number of months, kept as text.

CREATE TABLE "Customer" (
  "No" VARCHAR(20) NOT NULL PRIMARY KEY,
  "Kind" VARCHAR(10),
  "Name" VARCHAR(80) NOT NULL,
  "E-Mail" VARCHAR(60) NOT NULL UNIQUE,
  "Since" DATE
);

CREATE TABLE "Device" (
  "Customer No" VARCHAR(20) NOT NULL,
  "Serial" VARCHAR(20) NOT NULL,
  "Model" VARCHAR(40),
  "Bought" DATE,
  "Warranty Months" VARCHAR(10),
  "Printed Until" DATE,
  PRIMARY KEY ("Customer No", "Serial"),
  FOREIGN KEY ("Customer No") REFERENCES "Customer" ("No")
);

CREATE TABLE "order" (
  "Branch" CHAR(2) NOT NULL,
  "No" INTEGER NOT NULL,
  "Customer No" VARCHAR(20) NOT NULL,
  "Serial" VARCHAR(20),
  "Status" VARCHAR(12) NOT NULL,
  "Accepted" DATETIME NOT NULL,
  "Done" DATETIME NULL,
  "Fault" VARCHAR(200),
  PRIMARY KEY ("Branch", "No"),
  FOREIGN KEY ("Customer No") REFERENCES "Customer" ("No"),
  FOREIGN KEY ("Customer No", "Serial") REFERENCES "Device" ("Customer No", "Serial")
);
CREATE INDEX "order customer" ON "order" ("Customer No", "Serial");

CREATE TABLE "order line" (
  "Branch" CHAR(2) NOT NULL,
  "No" INTEGER NOT NULL,
  "Line" INTEGER NOT NULL,
  "Part" VARCHAR(40),
  PRIMARY KEY ("Branch", "No", "Line"),
  FOREIGN KEY ("Branch", "No") REFERENCES "order" ("Branch", "No")
);

CREATE TABLE "Call" (
  "Id" INTEGER NOT NULL PRIMARY KEY,
  "Customer No" VARCHAR(20) NOT NULL,
  "At" DATETIME NOT NULL,
  "Note" VARCHAR(200),
  FOREIGN KEY ("Customer No") REFERENCES "Customer" ("No")
);
CREATE INDEX "call customer" ON "Call" ("Customer No");

CREATE TABLE "Payment" (
  "Id" INTEGER NOT NULL PRIMARY KEY,
  "Branch" CHAR(2),
  "Order No" INTEGER,
  "Paid" DATE NOT NULL,
  "Amount" INTEGER NOT NULL,
  "Card Holder" VARCHAR(80),
  "Card Number" VARCHAR(20) NOT NULL,
  CHECK (length("Card Number") >= 4),
  FOREIGN KEY ("Branch", "Order No") REFERENCES "order" ("Branch", "No")
);
CREATE INDEX "payment order" ON "Payment" ("Branch", "Order No");
