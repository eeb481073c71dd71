//! Every page, looked at by axe-core in light and dark, wide and narrow, in both languages; each leaves a picture.

use crate::daily::Person;
use anyhow::Context;
use finance::Currency;
use std::fmt::Write;
use tests::browser::Look;
use tests::door::Door;
use tests::life::{self, Stage};
use tests::server::{Server, told};

/// How a page is looked at: a name for the picture, the colours, the measures, the language.
const LOOKS: [(&str, Look, (u32, u32), &str); 3] = [
    ("light-wide", Look::Light, (1280, 900), "en"),
    ("dark-wide", Look::Dark, (1280, 900), "en"),
    ("dark-narrow-zh", Look::Dark, (390, 844), "zh-CN"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_has_barriers_in_any_look() -> anyhow::Result<()> {
    let app = told("COUNTERFOIL_TEST_APP")?;
    let server = Server::start(&["--app", &app]).await?;
    let door = Door::at(&server.url);
    door.staff_by(server.first_links()?, &life::STAFF).await?;
    // A loan that runs, one that is asked for, and one that is open: every page has something to show.
    let text = life::documents(Currency::USD, 100);
    let repaid = text.find("# As borrower.usd@example.test: sees the closed loan").context("the end")?;
    let first_repaid =
        text[..repaid].find("Repay2").and_then(|at| text[..at].rfind("# As ")).context("the second")?;
    let seen = life::play(Stage::Served, &door, &text[..first_repaid]).await?;
    let other = life::documents(Currency::JPY, 100);
    let decided = other.find("# As supervisor@demo.test").context("the second word")?;
    let asked = life::play(Stage::Served, &door, &other[..decided]).await?;
    let listing = seen["Marketplace"].text("/listings/nodes/0/id")?;
    let loan = seen["Running"].text("/loan/id")?;
    let application = asked["Apply"].text("/applicationSubmit/application/id")?;
    let task = asked["ApproveFirst"].text("/taskDecide/task/id")?;

    let nobody = [
        "/",
        "/marketplace",
        &format!("/listings/{listing}"),
        "/calculator",
        "/terms",
        "/sign-in",
        "/register",
        "/forgotten",
        "/reset/0123",
        "/confirm/0123",
        "/mailbox",
        "/nowhere",
    ];
    let lender = ["/overview", "/portfolio", "/cash", "/statement", "/account", "/notices"];
    let borrower = ["/loans", &format!("/loans/{loan}"), "/borrow"];
    let officer =
        ["/staff/queue", &format!("/staff/tasks/{task}"), &format!("/staff/applications/{application}")];
    let operations = ["/staff/day", "/staff/find", "/staff/find?q=demo", "/staff/orders"];
    let administrator = ["/staff/people", "/staff/audit"];
    let visits: [(Option<&str>, &[&str]); 6] = [
        (None, &nobody),
        (Some("investor1.usd@example.test"), &lender),
        (Some("borrower.usd@example.test"), &borrower),
        (Some("officer@demo.test"), &officer),
        (Some("operations@demo.test"), &operations),
        (Some("admin0@staff.test"), &administrator),
    ];
    let mut table = String::new();
    let mut found = Vec::new();
    for (name, look, (width, height), language) in LOOKS {
        let person = Person::arrive(&server.url, look, width, height).await?;
        let outcome = async {
            for (email, pages) in visits {
                if let Some(email) = email {
                    person.sign_in(email).await?;
                } else {
                    person.goto("/").await?;
                }
                let choose = format!("localStorage.setItem('counterfoil.language', '{language}')");
                person.browser.driver.execute(choose, Vec::new()).await?;
                for page in pages {
                    person.goto(page).await?;
                    person.settle().await?;
                    let mut barriers = person.browser.barriers().await?;
                    let wide = "return String(document.documentElement.scrollWidth)";
                    let wide: String = person.browser.driver.execute(wide, Vec::new()).await?.convert()?;
                    if wide.parse::<u32>()? > width {
                        barriers.push(format!("the page is {wide} wide on a screen of {width}"));
                    }
                    writeln!(table, "{name:<16} {page:<60} {} barriers", barriers.len())?;
                    found.extend(barriers.iter().map(|b| format!("{name} {page}: {b}")));
                    let place: String =
                        page.split('/').filter(|p| !p.contains('_')).collect::<Vec<_>>().join("-");
                    person.browser.shoot(&format!("page{place}-{name}")).await?;
                }
                if email.is_some() {
                    person.sign_out().await?;
                }
            }
            anyhow::Ok(())
        }
        .await;
        if outcome.is_err() {
            person.browser.shoot("pages-failed").await.ok();
        }
        person.browser.quit().await?;
        outcome?;
    }
    eprintln!("{table}");
    assert!(found.is_empty(), "{} barriers:\n{}", found.len(), found.join("\n"));
    Ok(())
}

/// Between a desk and a phone too, whoever it is for: nothing is wider than its screen, and the bar is one row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bar_fits_at_every_width() -> anyhow::Result<()> {
    let app = told("COUNTERFOIL_TEST_APP")?;
    let server = Server::start(&["--app", &app]).await?;
    let door = Door::at(&server.url);
    door.staff_by(server.first_links()?, &life::STAFF).await?;
    door.register("maximiliane-alexandra@example.test", &["INVESTOR", "BORROWER"], None).await?;
    let person = Person::arrive(&server.url, Look::Light, 1280, 900).await?;
    let outcome = async {
        let mut found = Vec::new();
        let visits = [
            (None, "/marketplace"),
            (Some("maximiliane-alexandra@example.test"), "/cash"),
            (Some("admin0@staff.test"), "/staff/queue"),
        ];
        for (email, page) in visits {
            person.browser.measure(1280, 900).await?;
            if let Some(email) = email {
                person.sign_in(email).await?;
            }
            person.goto(page).await?;
            person.settle().await?;
            for width in [1280, 1201, 1200, 1024, 861, 860, 768, 390, 320] {
                person.browser.measure(width, 900).await?;
                let measured = "return [document.documentElement.scrollWidth, document.querySelector('.top').offsetHeight].join()";
                let measured: String = person.browser.driver.execute(measured, Vec::new()).await?.convert()?;
                let (wide, high) = measured.split_once(',').context("two figures")?;
                if wide.parse::<u32>()? > width || high.parse::<u32>()? > 80 {
                    found.push(format!("{page} at {width}: {wide} wide, the bar {high} high"));
                }
            }
            if email.is_some() {
                // On a phone the ways open beneath the bar.
                person.browser.measure(390, 844).await?;
                person.press(".menu", "Menu").await?;
                person.press("nav a", "Marketplace").await?;
                person.see("h1", "Marketplace").await?;
                person.browser.measure(1280, 900).await?;
                person.sign_out().await?;
            }
        }
        anyhow::ensure!(found.is_empty(), "{}", found.join("\n"));
        anyhow::Ok(())
    }
    .await;
    if outcome.is_err() {
        person.browser.shoot("bar-failed").await.ok();
    }
    person.browser.quit().await?;
    outcome
}
