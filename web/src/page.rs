//! Every page and its address; links are made from here, so that none can point nowhere.

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    Home,
    Marketplace,
    Listing(String),
    Calculator,
    SignIn,
    Overview,
    Portfolio,
}

impl Page {
    pub fn path(&self) -> String {
        match self {
            Page::Home => "/".into(),
            Page::Marketplace => "/marketplace".into(),
            Page::Listing(id) => format!("/listings/{id}"),
            Page::Calculator => "/calculator".into(),
            Page::SignIn => "/sign-in".into(),
            Page::Overview => "/overview".into(),
            Page::Portfolio => "/portfolio".into(),
        }
    }
}
