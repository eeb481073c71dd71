//! Office: the close of each business day, and how far it has come.

crate::tables_more!(
    "m0008_office_close",
    "
    CREATE TABLE office_close (
        date :date PRIMARY KEY, next :date NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL,
        begun_by :id, at :instant NOT NULL, done_at :instant, CHECK (next > date)
    ) :strict;
    CREATE TABLE office_close_step (
        date :date NOT NULL REFERENCES office_close (date), step TEXT NOT NULL, note TEXT NOT NULL, at :instant NOT NULL,
        PRIMARY KEY (date, step)
    ) :strict
    "
);
