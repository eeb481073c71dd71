//! Every page and its address; links are made from here, so that none can point nowhere.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    Home,
}

impl Page {
    pub fn path(self) -> &'static str {
        match self {
            Page::Home => "/",
        }
    }
}
