//! Headless Chromium by its driver; what the page says on its console is collected.

use crate::server::{Folder, free_port, told};
use anyhow::{Context, bail};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use thirtyfour::prelude::*;

pub struct Browser {
    pub driver: WebDriver,
    chromedriver: Child,
    _profile: Folder,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Light,
    Dark,
}

impl Browser {
    pub async fn start(look: Look, width: u32, height: u32) -> anyhow::Result<Browser> {
        let (port, profile) = (free_port()?, Folder::new("browser")?);
        let chromedriver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start chromedriver; run the tests by `cargo xtask test`")?;
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new".to_string(),
            // Chromium's sandbox refuses to run as root, which a build machine often is.
            "--no-sandbox".into(),
            "--disable-gpu".into(),
            "--disable-quic".into(),
            "--disable-dev-shm-usage".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            "--hide-scrollbars".into(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.0.display()),
        ] {
            capabilities.add_arg(&argument)?;
        }
        if look == Look::Dark {
            capabilities.add_arg("--blink-settings=preferredColorScheme=0")?;
        } else {
            capabilities.add_arg("--blink-settings=preferredColorScheme=1")?;
        }
        capabilities.set("goog:loggingPrefs", serde_json::json!({ "browser": "ALL" }))?;
        let url = format!("http://127.0.0.1:{port}");
        for _ in 0..100 {
            if let Ok(driver) = WebDriver::new(&url, capabilities.clone()).await {
                let browser = Browser { driver, chromedriver, _profile: profile };
                // A phone is narrower than a desktop window may become, so the page is measured, not the window.
                browser.measure(width, height).await?;
                return Ok(browser);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("chromedriver did not answer within ten seconds")
    }

    pub async fn measure(&self, width: u32, height: u32) -> anyhow::Result<()> {
        self.driver.cdp().send_raw(
                "Emulation.setDeviceMetricsOverride",
                serde_json::json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 }),
            )
            .await?;
        Ok(())
    }

    /// Waits until an element that matches `css` shows text that contains `text`.
    pub async fn see(&self, css: &str, text: &str) -> anyhow::Result<WebElement> {
        let mut last = String::from("no such element");
        for _ in 0..150 {
            for element in self.driver.find_all(By::Css(css)).await.unwrap_or_default() {
                if let Ok(shown) = element.text().await {
                    if shown.contains(text) {
                        return Ok(element);
                    }
                    last = shown;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("{css} did not show “{text}” within fifteen seconds; it showed “{last}”")
    }

    /// Keeps a picture below the folder that xtask names.
    pub async fn shoot(&self, name: &str) -> anyhow::Result<()> {
        let folder = PathBuf::from(told("COUNTERFOIL_TEST_SHOTS")?);
        std::fs::create_dir_all(&folder)?;
        let png = self.driver.screenshot_as_png().await?;
        std::fs::write(folder.join(format!("{name}.png")), png)?;
        Ok(())
    }

    /// What axe-core finds on the page: a line for each rule that is broken, with the first place.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn barriers(&self) -> anyhow::Result<Vec<String>> {
        let axe = std::fs::read_to_string(told("COUNTERFOIL_TEST_AXE")?)?;
        self.driver.execute(axe.as_str(), Vec::new()).await?;
        let run = "const done = arguments[0];
            axe.run(document, { resultTypes: ['violations'] }).then(found => done(found.violations.map(v =>
                `${v.id}: ${v.help}: ${v.nodes.length} times, first ${v.nodes[0].html.slice(0, 160)} ${v.nodes[0].any.map(a => a.message).join('; ').slice(0, 200)}`)),
                why => done([String(why)]))";
        Ok(self.driver.execute_async(run, Vec::new()).await?.convert()?)
    }

    /// What the page complained about: errors of scripts, of the network and of the content security policy.
    pub async fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let id = self.driver.handle().session_id().to_string();
        let url = format!("{}session/{id}/se/log", self.driver.handle().server_url());
        let ask = reqwest::Client::new().post(&url).json(&serde_json::json!({ "type": "browser" }));
        let answer: serde_json::Value = ask.send().await?.json().await?;
        let lines = answer["value"].as_array().cloned().unwrap_or_default();
        Ok(lines
            .iter()
            .filter(|line| line["level"] == "SEVERE")
            .map(|line| line["message"].as_str().unwrap_or_default().to_string())
            .collect())
    }

    /// Ends the browser; a driver that is merely dropped stalls.
    pub async fn quit(mut self) -> anyhow::Result<()> {
        self.driver.clone().quit().await.ok();
        self.chromedriver.kill().ok();
        self.chromedriver.wait().ok();
        Ok(())
    }
}
