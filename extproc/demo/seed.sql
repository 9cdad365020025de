-- The playground's data: invented people, reserved example domains, test card numbers.
CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT NOT NULL,
  country TEXT NOT NULL,
  card TEXT NOT NULL
);
INSERT INTO customers VALUES
  (1, 'Maya Lindqvist', 'maya.lindqvist@example.com', '+46 70 000 00 01', 'Sweden', '4111 1111 1111 1111'),
  (2, 'Tomás Herrera', 'tomas.herrera@example.org', '+34 600 000 002', 'Spain', '5555 5555 5555 4444'),
  (3, 'Aiko Tanabe', 'aiko.tanabe@example.com', '+81 90 0000 0003', 'Japan', '3782 822463 10005'),
  (4, 'Olu Adeyemi', 'olu.adeyemi@example.net', '+234 800 000 0004', 'Nigeria', '6011 1111 1111 1117'),
  (5, 'Freya Castellan', 'freya.castellan@example.com', '+44 7000 000005', 'United Kingdom', '4012 8888 8888 1881');

CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  item TEXT NOT NULL,
  amount_cents INTEGER NOT NULL,
  status TEXT NOT NULL
);
INSERT INTO orders VALUES
  (101, 1, 'Standing desk', 64900, 'paid'),
  (102, 1, 'Desk lamp', 8900, 'shipped'),
  (103, 2, 'Office chair', 32900, 'open'),
  (104, 3, 'Monitor arm', 15900, 'shipped'),
  (105, 3, 'Keyboard', 11900, 'open'),
  (106, 4, 'Webcam', 7900, 'cancelled'),
  (107, 5, 'Standing desk', 64900, 'open'),
  (108, 5, 'Cable tray', 2900, 'paid');

CREATE TABLE staff (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  salary_cents INTEGER NOT NULL,
  ssn TEXT NOT NULL
);
INSERT INTO staff VALUES
  (1, 'Ines Moreau', 'Head of sales', 9800000, '900-12-3401'),
  (2, 'Kofi Mensah', 'Account manager', 6400000, '900-12-3402'),
  (3, 'Lena Vogt', 'Warehouse lead', 5200000, '900-12-3403');
