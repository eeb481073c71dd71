//! Notification: what people are told, how far they have read, and in a demo the mail that nobody sends.

crate::tables!(
    "m0013_notification",
    "notification",
    "
    CREATE TABLE notification_notice (
        id :id PRIMARY KEY, party :id NOT NULL, kind TEXT NOT NULL, subject :id NOT NULL, minor :int, currency TEXT,
        at :instant NOT NULL, CHECK ((minor IS NULL) = (currency IS NULL))
    ) :strict;
    CREATE INDEX notification_notice_party ON notification_notice (party, at, id);

    CREATE TABLE notification_reader (
        party :id PRIMARY KEY, read_at :instant, mail :bool NOT NULL
    ) :strict;

    CREATE TABLE notification_mail (
        id :id PRIMARY KEY, recipient TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, at :instant NOT NULL
    ) :strict;
    CREATE INDEX notification_mail_at ON notification_mail (at, id)
    "
);
