//! Browser stories: the real binary, the real app, headless Chromium.

mod daily;
mod pages;

use anyhow::Context;
use finance::Currency;
use tests::browser::{Browser, Look};
use tests::door::{Door, PASSWORD};
use tests::life::{self, Stage};
use tests::server::{Server, told};
use thirtyfour::prelude::*;

/// What must not be on the console, less what the story itself brought about.
fn without(complaints: Vec<String>, expected: &[&str]) -> Vec<String> {
    complaints.into_iter().filter(|c| !expected.iter().any(|e| c.contains(e))).collect()
}

/// What a first visit loads, compressed: the budget of the product.
#[test]
fn each_build_of_the_app_is_small() -> anyhow::Result<()> {
    let app = std::path::PathBuf::from(told("COUNTERFOIL_TEST_APP")?);
    for build in [app.clone(), app.join("borrower"), app.join("staff")] {
        let mut sum = 0;
        for entry in std::fs::read_dir(&build)? {
            let entry = entry?;
            if entry.path().extension().is_some_and(|e| e == "br") {
                sum += entry.metadata()?.len();
            }
        }
        eprintln!("{}: {sum} bytes", build.display());
        anyhow::ensure!(sum > 0, "{} is not precompressed", build.display());
        anyhow::ensure!(sum <= 450_000, "{}: {sum} bytes, and 450,000 are allowed", build.display());
    }
    Ok(())
}

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

/// A listing fills while somebody looks; the line breaks and comes back by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_fills_before_ones_eyes() -> anyhow::Result<()> {
    let app = told("COUNTERFOIL_TEST_APP")?;
    let mut server = Server::start(&["--app", &app]).await?;
    let door = Door::at(&server.url);
    door.staff_by(server.first_links()?, &life::STAFF).await?;
    let text = life::documents(Currency::USD, 100);
    let place = |what: &str| text.find(what).with_context(|| what.to_string());
    let first = place("# As investor1.usd@example.test: bids")?;
    let second = place("# As investor2.usd@example.test: bids")?;
    let third = place("# As investor3.usd@example.test: bids")?;
    let end = place("# As operations@demo.test")?;
    let seen = life::play(Stage::Served, &door, &text[..first]).await?;
    let listing = seen["Marketplace"].text("/listings/nodes/0/id")?;

    let wide = Browser::start(Look::Light, 1280, 900).await?;
    let narrow = Browser::start(Look::Dark, 390, 844).await?;
    let outcome = async {
        wide.driver.goto(&format!("{}/marketplace", server.url)).await?;
        sorts_and_narrows(&wide).await?;
        wide.see("[data-listing]", "A heat pump").await?.find(By::Css("a")).await?.click().await?;
        wide.see("h1", "A heat pump").await?;
        wide.see(".term", "Rate a year").await?.find(By::Css("button")).await?.click().await?;
        wide.see(".meaning:popover-open", "Interest a year on the principal").await?;
        narrow.driver.goto(&format!("{}/marketplace", server.url)).await?;
        narrow.see("[data-line=Live]", "live").await?;
        wide.see("[data-line=Live]", "live").await?;
        wide.see(".fund", "0 %").await?;

        life::play(Stage::Served, &door, &text[first..second]).await?;
        wide.see(".fund", "50 %").await?;
        wide.see(".arrived", "USD 5,000.00 just came in").await?;
        narrow.see(".fund", "50 %").await?;
        wide.shoot("listing-filling-light-wide").await?;
        narrow.shoot("marketplace-filling-dark-narrow").await?;

        // The platform is killed: the page says so, and is whole again without a reload.
        server.kill()?;
        wide.see("[data-line=Reconnecting]", "reconnecting").await?;
        wide.shoot("listing-reconnecting-light-wide").await?;
        server.start_again().await?;
        life::play(Stage::Served, &door, &text[second..third]).await?;
        wide.see("[data-line=Live]", "live").await?;
        wide.see(".fund", "83 %").await?;

        life::play(Stage::Served, &door, &text[third..end]).await?;
        wide.see("[data-status=Filled]", "Filled").await?;
        wide.see(".fund", "100 %").await?;
        narrow.see("[data-listing]", "Filled").await?;
        narrow.driver.goto(&format!("{}/listings/{listing}", server.url)).await?;
        narrow.see(".fund", "100 %").await?;
        narrow.shoot("listing-filled-dark-narrow").await?;
        let broke = ["WebSocket connection", "ERR_CONNECTION_REFUSED"];
        for browser in [&wide, &narrow] {
            let complaints = without(browser.complaints().await?, &broke);
            assert!(complaints.is_empty(), "the page complains: {complaints:#?}");
        }
        anyhow::Ok(())
    }
    .await;
    wide.quit().await?;
    narrow.quit().await?;
    outcome
}

/// The heads of the columns sort and the choices narrow; the address says how, and outlives a reload.
async fn sorts_and_narrows(browser: &Browser) -> anyhow::Result<()> {
    let address =
        async || anyhow::Ok(browser.driver.current_url().await?.query().unwrap_or_default().to_string());
    let rate = "th[aria-sort] button";
    browser.see(rate, "Rate a year").await?.click().await?;
    browser.see("th[aria-sort=descending]", "Rate a year").await?;
    assert_eq!(address().await?, "sort=-rate");
    browser.see(rate, "Rate a year").await?.click().await?;
    browser.see("th[aria-sort=ascending]", "Rate a year").await?;
    browser.see("select[name=rate] option", "12 % or more").await?.click().await?;
    browser.see("[data-listing]", "A heat pump").await?;
    browser.see("select[name=months] option", "Up to 6 months").await?.click().await?;
    browser.see("[data-listing]", "A heat pump").await?;
    browser.driver.refresh().await?;
    browser.see("th[aria-sort=ascending]", "Rate a year").await?;
    browser.see("[data-listing]", "A heat pump").await?;
    let now = address().await?;
    assert!(["sort=rate", "rate=12", "months=6"].iter().all(|part| now.contains(part)), "{now}");
    // All that was ever offered is in one currency: there is nothing to choose.
    assert!(browser.driver.find_all(By::Css("select[name=currency]")).await?.is_empty());
    let sought = browser.driver.find(By::Css("input[name=q]")).await?;
    sought.send_keys("nothing of the kind").await?;
    browser.see("h2", "Nothing fits what you look for").await?;
    sought.send_keys(Key::Control + "a").await?;
    sought.send_keys(Key::Backspace + "").await?;
    browser.see("[data-listing]", "A heat pump").await?;
    Ok(())
}

#[tokio::test]
async fn people_sign_in_stay_signed_in_and_reckon_a_loan() -> anyhow::Result<()> {
    let app = told("COUNTERFOIL_TEST_APP")?;
    let server = Server::start(&["--app", &app]).await?;
    let door = Door::at(&server.url);
    door.register("ada@example.test", &["INVESTOR"], None).await?;
    let browser = Browser::start(Look::Light, 1280, 900).await?;
    let outcome = async {
        browser.driver.goto(&format!("{}/sign-in", server.url)).await?;
        browser.see("h1", "Sign in").await?;
        let field = async |name: &str, text: &str| {
            let field = browser.driver.find(By::Css(format!("input[name={name}]"))).await?;
            field.send_keys(text).await
        };
        field("email", "ada@example.test").await?;
        field("password", "wrong").await?;
        browser.see("button[type=submit]", "Sign in").await?.click().await?;
        browser.see("[role=alert]", "The address or the password is wrong.").await?;
        // The other language, without a reload: what is said changes, what was typed stays.
        browser.driver.find(By::Css(".languages [lang='zh-CN']")).await?.click().await?;
        browser.see("h1", "登录").await?;
        browser.see("[role=alert]", "邮箱或密码不正确。").await?;
        browser.see("nav", "借款市场").await?;
        let html = browser.driver.find(By::Css("html")).await?;
        assert_eq!(html.attr("lang").await?.as_deref(), Some("zh-CN"));
        assert_eq!(browser.driver.title().await?, "登录 · Counterfoil");
        browser.shoot("sign-in-zh").await?;
        browser.driver.refresh().await?;
        browser.see("h1", "登录").await?;
        browser
            .driver
            .goto(&format!("{}/calculator?amount=１２，０００&rate=12％&months=12", server.url))
            .await?;
        browser.see("[data-result=monthly]", "1,066.19").await?;
        browser.shoot("calculator-zh").await?;
        browser.driver.goto(&format!("{}/sign-in", server.url)).await?;
        browser.see("h1", "登录").await?;
        browser.driver.find(By::Css(".languages [lang='en']")).await?.click().await?;
        browser.see("h1", "Sign in").await?;
        field("email", "ada@example.test").await?;
        field("password", "wrong").await?;
        let email = browser.driver.find(By::Css("input[name=email]")).await?;
        assert_eq!(
            email.prop("value").await?.as_deref(),
            Some("ada@example.test"),
            "the form is still filled"
        );
        // Typed over, as a person does.
        browser.driver.find(By::Css("input[name=password]")).await?.send_keys(Key::Control + "a").await?;
        field("password", PASSWORD).await?;
        browser.see("button[type=submit]", "Sign in").await?.click().await?;
        browser.see("h1", "Your money will show here.").await?;
        browser.see(".who", "ada@example.test").await?;
        browser.driver.refresh().await?;
        browser.see(".who", "ada@example.test").await?;
        let kept = browser
            .driver
            .execute("return document.cookie + JSON.stringify(localStorage)", Vec::new())
            .await?;
        let kept: String = kept.convert()?;
        assert!(
            !kept.contains("refresh") && !kept.contains("ey"),
            "no token where scripts can read it: {kept}"
        );
        browser.see("button", "Sign out").await?.click().await?;
        browser.see("a.button", "Sign in").await?;

        // How long until something is to be seen by somebody who was here before; generous for a busy machine.
        let script = "const p = performance.getEntriesByName('first-contentful-paint')[0];
            return p ? String(Math.round(p.startTime)) : ''";
        browser.driver.goto(&format!("{}/marketplace", server.url)).await?;
        browser.see("h1", "Marketplace").await?;
        let mut paint = String::new();
        for _ in 0..100 {
            // The element is there before its frame is: a headless browser draws when it is looked at.
            browser.driver.screenshot_as_png().await?;
            paint = browser.driver.execute(script, Vec::new()).await?.convert()?;
            if !paint.is_empty() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        eprintln!("first content after {paint} ms");
        assert!(paint.parse::<u32>()? < 8_000, "first content after {paint} ms");

        // 10,000.00 at 12 % over 12 months: 888.49 a month, 661.86 of interest.
        browser.driver.goto(&format!("{}/calculator", server.url)).await?;
        browser.see("[data-result=monthly]", "888.49").await?;
        browser.see("[data-result=interest]", "661.86").await?;
        browser.shoot("calculator-light-wide").await?;
        let amount = browser.driver.find(By::Css("input[name=amount]")).await?;
        amount.send_keys(Key::Control + "a").await?;
        amount.send_keys("1e5").await?;
        browser.see("#amount-error", "Digits with at most 2 decimals").await?;
        let complaints = browser.complaints().await?;
        assert!(complaints.is_empty(), "the page complains: {complaints:#?}");
        anyhow::Ok(())
    }
    .await;
    browser.quit().await?;
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_investor_lends_from_the_app() -> anyhow::Result<()> {
    let app = told("COUNTERFOIL_TEST_APP")?;
    let server = Server::start(&["--app", &app]).await?;
    let door = Door::at(&server.url);
    door.staff_by(server.first_links()?, &life::STAFF).await?;
    let text = life::documents(Currency::USD, 100);
    let bids = text.find("# As investor1.usd@example.test: bids").context("the bids")?;
    let seen = life::play(Stage::Served, &door, &text[..bids]).await?;
    let listing = seen["Marketplace"].text("/listings/nodes/0/id")?;
    let browser = Browser::start(Look::Light, 1280, 900).await?;
    let outcome = async {
        let goto = async |path: &str| browser.driver.goto(&format!("{}{path}", server.url)).await;
        let field = async |name: &str| browser.driver.find(By::Css(format!("input[name={name}]"))).await;
        goto("/overview").await?;
        browser.see("h1", "Sign in to see this page.").await?;
        goto("/sign-in").await?;
        browser.see("h1", "Sign in").await?;
        field("email").await?.send_keys("investor1.usd@example.test").await?;
        field("password").await?.send_keys(PASSWORD).await?;
        browser.see("button[type=submit]", "Sign in").await?.click().await?;
        browser.see("[data-figure=whole]", "You have USD 10,000.00.").await?;
        browser.see("nav", "Portfolio").await?;

        // What is typed outlives a reload; what is wrong is said beside it; clicked twice, it is lent once.
        goto(&format!("/listings/{listing}")).await?;
        browser.see("#bid-hint", "At least USD").await?;
        // A comma that groups nothing is no thousand and no decimal: it is not guessed at where money moves.
        field("bid").await?.send_keys("1000,5").await?;
        browser.see("#bid-hint", "Digits with at most 2 decimals").await?;
        field("bid").await?.send_keys(Key::Control + "a").await?;
        field("bid").await?.send_keys("20,000").await?;
        browser.see("button[type=submit]", "Lend").await?.click().await?;
        browser.see("#bid-hint", "still sought.").await?;
        field("bid").await?.send_keys(Key::Control + "a").await?;
        field("bid").await?.send_keys("1,250.50").await?;
        browser.see("#bid-hint", "of interest: 3 payments of about USD 425").await?;
        browser.driver.refresh().await?;
        browser.see("#bid-hint", "of interest").await?;
        assert_eq!(
            field("bid").await?.prop("value").await?.as_deref(),
            Some("1,250.50"),
            "it outlives a reload"
        );
        browser.shoot("bid-light-wide").await?;
        browser.see("button[type=submit]", "Lend").await?.click().await?;
        // Asked once more, with what it means; nothing has moved yet.
        browser.see("dialog [data-sum]", "USD 1,250.50").await?;
        let lend = browser.see("[data-sure]", "Lend").await?;
        lend.click().await?;
        lend.click().await.ok();
        browser
            .see("[data-placed]", "The custodian has frozen USD 1,250.50 of your money for this loan.")
            .await?;
        browser.see(".arrived", "USD 1,250.50 just came in").await?;
        browser.see(".fund", "13 %").await?;
        goto("/overview").await?;
        browser.see("[data-figure=whole]", "You have USD 10,000.00.").await?;
        browser.see(".facts", "8,749.50").await?;
        browser.see("td", "A heat pump").await?;
        browser.shoot("overview-light-wide").await?;
        goto("/portfolio").await?;
        browser.see(".empty", "No loan of yours is in this state.").await?;
        let refused = ["422", "400", "401"];
        let complaints = without(browser.complaints().await?, &refused);
        assert!(complaints.is_empty(), "the page complains: {complaints:#?}");
        anyhow::Ok(())
    }
    .await;
    if outcome.is_err() {
        // What a person would look at first.
        browser.shoot("an-investor-lends-failed").await?;
        eprintln!("{:#?}", browser.complaints().await?);
    }
    browser.quit().await?;
    outcome
}

/// The server is killed and comes back. Whoever was looking is told, and sees what happened since, without a reload.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_browsers_miss_nothing_when_the_line_breaks() -> anyhow::Result<()> {
    let app = told("COUNTERFOIL_TEST_APP")?;
    let mut server = Server::start(&["--app", &app]).await?;
    let door = Door::at(&server.url);
    door.staff_by(server.first_links()?, &life::STAFF).await?;
    let text = life::documents(Currency::USD, 100);
    let bids = text.find("# As investor1.usd@example.test: bids").context("the bids")?;
    let second = text.find("# As investor2.usd@example.test: bids").context("the second")?;
    let third = text.find("# As investor3.usd@example.test: bids").context("the third")?;
    let seen = life::play(Stage::Served, &door, &text[..bids]).await?;
    let listing = seen["Marketplace"].text("/listings/nodes/0/id")?;
    let one = Browser::start(Look::Light, 1280, 900).await?;
    let other = Browser::start(Look::Dark, 390, 844).await?;
    let outcome = async {
        let mark = async |b: &Browser| b.driver.execute("window.never = 'reloaded'", Vec::new()).await;
        one.driver.goto(&format!("{}/listings/{listing}", server.url)).await?;
        other.driver.goto(&format!("{}/marketplace", server.url)).await?;
        for browser in [&one, &other] {
            browser.see("[data-line=Live]", "live").await?;
            browser.see(".fund", "0 %").await?;
            mark(browser).await?;
        }
        life::play(Stage::Served, &door, &text[bids..second]).await?;
        for browser in [&one, &other] {
            browser.see(".fund", "50 %").await?;
        }
        server.kill()?;
        for browser in [&one, &other] {
            browser.see("[data-line=Reconnecting]", "").await?;
        }
        one.shoot("line-broken-light-wide").await?;
        server.start_again().await?;
        // Before they are back, most likely; in any case it is theirs to see.
        life::play(Stage::Served, &door, &text[second..third]).await?;
        for browser in [&one, &other] {
            browser.see(".fund", "83 %").await?;
            browser.see("[data-line=Live]", "live").await?;
            let kept = browser.driver.execute("return String(window.never)", Vec::new()).await?;
            assert_eq!(kept.convert::<String>()?, "reloaded", "the page was not loaded anew");
        }
        anyhow::Ok(())
    }
    .await;
    for (name, browser) in [("one", one), ("other", other)] {
        if outcome.is_err() {
            browser.shoot(&format!("line-failed-{name}")).await.ok();
        }
        browser.quit().await?;
    }
    outcome
}
