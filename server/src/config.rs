//! Settings: built-in defaults, then `counterfoil.toml`, then `COUNTERFOIL_…` from the environment, then flags.
//! Checked at start, with a sentence that says which setting is wrong and what it may be.

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use notification::post::{Post, Smtp};
use platform::db::Place;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the public door opens.
    pub listen: SocketAddr,
    /// The address people type, as in `https://lend.example.org`; Origin is checked against it.
    pub public_url: Option<String>,
    /// Where SQLite's file, keys and the demo's custodian are kept.
    pub data: PathBuf,
    /// Where the sandbox custodian opens its door.
    pub custodian_listen: SocketAddr,
    /// A PostgreSQL URL; without it, SQLite in `data`.
    pub database_url: Option<String>,
    /// The folder of the built app.
    pub app: Option<PathBuf>,
    /// The folder of GraphiQL's published files; served in a demo only.
    pub graphiql: Option<PathBuf>,
    /// The mail server, as in `smtps://user:password@mail.example.org`; without it a demo keeps its mail and shows it, and
    /// an installation sends none.
    pub smtp_url: Option<String>,
    /// From whom mail comes, as in `Counterfoil <no-reply@lend.example.org>`.
    pub mail_from: Option<String>,
    /// A place to try things, never with real money: the first administrator links are not printed.
    pub demo: bool,
    /// Log lines as JSON.
    pub log_json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            data: PathBuf::from("var"),
            custodian_listen: SocketAddr::from(([127, 0, 0, 1], 9090)),
            database_url: None,
            app: None,
            graphiql: None,
            smtp_url: None,
            mail_from: None,
            demo: false,
            log_json: false,
        }
    }
}

impl Config {
    /// Reads the settings and lets `flags` have the last word.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn read(flags: impl FnOnce(&mut Config)) -> Result<Config, String> {
        let mut config: Config = Figment::from(Serialized::defaults(Config::default()))
            .merge(Toml::file("counterfoil.toml"))
            .merge(Env::prefixed("COUNTERFOIL_").ignore(&["log"]).filter(|key| !key.starts_with("test_")))
            .extract()
            .map_err(|e| format!("settings: {e}"))?;
        flags(&mut config);
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if let Some(url) = &self.database_url
            && !url.starts_with("postgres://")
            && !url.starts_with("postgresql://")
        {
            return Err("database_url: must begin with postgres://; leave it out for SQLite".into());
        }
        if let Some(url) = &self.public_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            return Err("public_url: must begin with https:// (or http:// on one machine)".into());
        }
        if let Some(app) = &self.app
            && !app.join("index.html").is_file()
        {
            return Err(format!(
                "app: {} holds no index.html; build it with `cargo xtask run`",
                app.display()
            ));
        }
        if self.smtp_url.is_some() && self.mail_from.is_none() {
            return Err("mail_from: with smtp_url, say from whom mail comes".into());
        }
        self.post().map(drop)
    }

    /// Where messages go.
    ///
    /// # Errors
    /// A sentence that names the setting that is wrong.
    pub fn post(&self) -> Result<Post, String> {
        match (&self.smtp_url, &self.mail_from) {
            (Some(url), Some(from)) => Smtp::new(url, from).map(|smtp| Post::Smtp(Box::new(smtp))),
            _ if self.demo => Ok(Post::Kept),
            _ => Ok(Post::Nowhere),
        }
    }

    /// Where the platform's data is.
    pub fn place(&self) -> Place {
        match &self.database_url {
            Some(url) => Place::Postgres(url.clone()),
            None => Place::Sqlite(self.data.join("counterfoil.db")),
        }
    }

    /// Where the app thinks it is.
    pub fn origin(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }
}
