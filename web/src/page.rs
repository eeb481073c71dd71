//! Every page and its address, in both directions; links are made from here, so that none can point nowhere.

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    Home,
    Marketplace,
    Listing(String),
    Calculator,
    /// What one agrees to.
    Terms,
    SignIn,
    Register,
    Invitation(String),
    Account,
    Notices,
    /// Where one comes back to from the custodian.
    Back,
    /// Asks for a letter with which a new password can be chosen.
    Forgotten,
    Reset(String),
    Confirm(String),
    /// The mail that a demo keeps.
    Mailbox,
    People,
    Overview,
    Portfolio,
    Cash,
    Statement,
    Borrow,
    Loans,
    Loan(String),
    Queue,
    Task(String),
    Application(String),
    Day,
    /// People, listings and loans.
    Find,
    /// What the custodian was asked to do.
    Orders,
    /// What staff did.
    Audit,
}

impl Page {
    pub fn path(&self) -> String {
        match self {
            Page::Home => "/".into(),
            Page::Marketplace => "/marketplace".into(),
            Page::Listing(id) => format!("/listings/{id}"),
            Page::Calculator => "/calculator".into(),
            Page::Terms => "/terms".into(),
            Page::SignIn => "/sign-in".into(),
            Page::Register => "/register".into(),
            Page::Invitation(secret) => format!("/invitation/{secret}"),
            Page::Account => "/account".into(),
            Page::Notices => "/notices".into(),
            Page::Back => "/back".into(),
            Page::Forgotten => "/forgotten".into(),
            Page::Reset(secret) => format!("/reset/{secret}"),
            Page::Confirm(secret) => format!("/confirm/{secret}"),
            Page::Mailbox => "/mailbox".into(),
            Page::People => "/staff/people".into(),
            Page::Overview => "/overview".into(),
            Page::Portfolio => "/portfolio".into(),
            Page::Cash => "/cash".into(),
            Page::Statement => "/statement".into(),
            Page::Borrow => "/borrow".into(),
            Page::Loans => "/loans".into(),
            Page::Loan(id) => format!("/loans/{id}"),
            Page::Queue => "/staff/queue".into(),
            Page::Task(id) => format!("/staff/tasks/{id}"),
            Page::Application(id) => format!("/staff/applications/{id}"),
            Page::Day => "/staff/day".into(),
            Page::Find => "/staff/find".into(),
            Page::Orders => "/staff/orders".into(),
            Page::Audit => "/staff/audit".into(),
        }
    }

    /// What staff find about one person.
    pub fn person(id: &str) -> String {
        format!("{}?show=all&borrower={id}", Page::Find.path())
    }

    /// Where one signs in on the way to this page.
    pub fn sign_in_first(&self) -> String {
        format!("{}?to={}", Page::SignIn.path(), self.path())
    }

    /// The page at an address.
    pub fn at(path: &str) -> Option<Page> {
        let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        Some(match parts[..] {
            [] => Page::Home,
            ["marketplace"] => Page::Marketplace,
            ["listings", id] => Page::Listing(id.into()),
            ["calculator"] => Page::Calculator,
            ["terms"] => Page::Terms,
            ["sign-in"] => Page::SignIn,
            ["register"] => Page::Register,
            ["invitation", secret] => Page::Invitation(secret.into()),
            ["account"] => Page::Account,
            ["notices"] => Page::Notices,
            ["back"] => Page::Back,
            ["forgotten"] => Page::Forgotten,
            ["reset", secret] => Page::Reset(secret.into()),
            ["confirm", secret] => Page::Confirm(secret.into()),
            ["mailbox"] => Page::Mailbox,
            ["overview"] => Page::Overview,
            ["portfolio"] => Page::Portfolio,
            ["cash"] => Page::Cash,
            ["statement"] => Page::Statement,
            ["borrow"] => Page::Borrow,
            ["loans"] => Page::Loans,
            ["loans", id] => Page::Loan(id.into()),
            ["staff"] | ["staff", "queue"] => Page::Queue,
            ["staff", "tasks", id] => Page::Task(id.into()),
            ["staff", "applications", id] => Page::Application(id.into()),
            ["staff", "day"] => Page::Day,
            ["staff", "find"] => Page::Find,
            ["staff", "orders"] => Page::Orders,
            ["staff", "audit"] => Page::Audit,
            ["staff", "people"] => Page::People,
            _ => return None,
        })
    }
}
