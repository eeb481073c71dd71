//! Every page and its address, in both directions; links are made from here, so that none can point nowhere.

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    Home,
    Marketplace,
    Listing(String),
    Calculator,
    SignIn,
    Register,
    Invitation(String),
    Account,
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
}

impl Page {
    pub fn path(&self) -> String {
        match self {
            Page::Home => "/".into(),
            Page::Marketplace => "/marketplace".into(),
            Page::Listing(id) => format!("/listings/{id}"),
            Page::Calculator => "/calculator".into(),
            Page::SignIn => "/sign-in".into(),
            Page::Register => "/register".into(),
            Page::Invitation(secret) => format!("/invitation/{secret}"),
            Page::Account => "/account".into(),
            Page::People => "/people".into(),
            Page::Overview => "/overview".into(),
            Page::Portfolio => "/portfolio".into(),
            Page::Cash => "/cash".into(),
            Page::Statement => "/statement".into(),
            Page::Borrow => "/borrow".into(),
            Page::Loans => "/loans".into(),
            Page::Loan(id) => format!("/loans/{id}"),
            Page::Queue => "/queue".into(),
            Page::Task(id) => format!("/tasks/{id}"),
            Page::Application(id) => format!("/applications/{id}"),
            Page::Day => "/day".into(),
        }
    }

    /// The page at an address.
    pub fn at(path: &str) -> Option<Page> {
        let mut parts = path.split('/').filter(|p| !p.is_empty());
        let found = match (parts.next(), parts.next()) {
            (None, _) => Page::Home,
            (Some("listings"), Some(id)) => Page::Listing(id.into()),
            (Some("loans"), Some(id)) => Page::Loan(id.into()),
            (Some("tasks"), Some(id)) => Page::Task(id.into()),
            (Some("applications"), Some(id)) => Page::Application(id.into()),
            (Some("marketplace"), None) => Page::Marketplace,
            (Some("calculator"), None) => Page::Calculator,
            (Some("sign-in"), None) => Page::SignIn,
            (Some("invitation"), Some(secret)) => Page::Invitation(secret.into()),
            (Some("register"), None) => Page::Register,
            (Some("account"), None) => Page::Account,
            (Some("people"), None) => Page::People,
            (Some("overview"), None) => Page::Overview,
            (Some("portfolio"), None) => Page::Portfolio,
            (Some("cash"), None) => Page::Cash,
            (Some("statement"), None) => Page::Statement,
            (Some("borrow"), None) => Page::Borrow,
            (Some("loans"), None) => Page::Loans,
            (Some("queue"), None) => Page::Queue,
            (Some("day"), None) => Page::Day,
            _ => return None,
        };
        parts.next().is_none().then_some(found)
    }
}
