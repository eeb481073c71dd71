//! Office: tasks and who said what. A person has one word on a task, and the beneficiary none.

crate::tables!(
    "m0005_office",
    "office",
    "
    CREATE TABLE office_task (
        id :id PRIMARY KEY, kind TEXT NOT NULL, subject :id NOT NULL, about TEXT NOT NULL, beneficiary :id NOT NULL,
        status TEXT NOT NULL, claimed_by :id, at :instant NOT NULL, decided_at :instant, UNIQUE (id, beneficiary)
    ) :strict;
    CREATE INDEX office_task_status ON office_task (status, at);

    CREATE TABLE office_approval (
        task :id NOT NULL, beneficiary :id NOT NULL, person :id NOT NULL, party :id NOT NULL, role TEXT NOT NULL,
        approve :bool NOT NULL, note TEXT NOT NULL, at :instant NOT NULL,
        PRIMARY KEY (task, person),
        FOREIGN KEY (task, beneficiary) REFERENCES office_task (id, beneficiary),
        CHECK (person <> beneficiary)
    ) :strict
    "
);
