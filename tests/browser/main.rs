//! Browser stories: the real binary, the real app, headless Chromium.

use tests::browser::{Browser, Look};
use tests::server::{Server, told};

#[tokio::test]
async fn the_front_door_opens_in_light_and_dark_wide_and_narrow() -> anyhow::Result<()> {
    let app = told("COUNTERFOIL_TEST_APP")?;
    let server = Server::start(&["--app", &app]).await?;
    for (look, look_name) in [(Look::Light, "light"), (Look::Dark, "dark")] {
        let browser = Browser::start(look, 1280, 900).await?;
        let outcome = async {
            browser.driver.goto(&server.url).await?;
            browser.see("h1", "Two halves that match").await?;
            browser.shoot(&format!("home-{look_name}-wide")).await?;
            browser.measure(390, 844).await?;
            browser.shoot(&format!("home-{look_name}-narrow")).await?;
            browser.driver.goto(&format!("{}/nowhere", server.url)).await?;
            browser.see("h1", "There is no page at this address").await?;
            let complaints = browser.complaints().await?;
            assert!(complaints.is_empty(), "the page complains: {complaints:#?}");
            anyhow::Ok(())
        }
        .await;
        browser.quit().await?;
        outcome?;
    }
    Ok(())
}
