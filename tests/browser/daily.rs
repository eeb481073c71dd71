//! The three daily loops by hand: a borrower's, an investor's and the staff's, each in a browser of their own.

use anyhow::Context;
use kernel::{Clock, SystemClock};
use tests::browser::{Browser, Look};
use tests::door::{Door, PASSWORD};
use tests::life;
use tests::mail;
use tests::server::{Folder, Server, told};
use thirtyfour::prelude::*;

/// What they chose at the custodian.
const PAYMENT_PASSWORD: &str = "correct-horse";

/// Whether an element went away between being found and being used.
fn gone(e: &WebDriverError) -> bool {
    let text = e.to_string().to_lowercase();
    ["stale", "not interactable", "intercepted"].iter().any(|what| text.contains(what))
}

/// Somebody at their browser.
pub struct Person<'a> {
    pub browser: Browser,
    url: &'a str,
}

impl<'a> Person<'a> {
    pub async fn arrive(url: &'a str, look: Look, width: u32, height: u32) -> anyhow::Result<Person<'a>> {
        Ok(Person { browser: Browser::start(look, width, height).await?, url })
    }

    async fn sit_down(url: &'a str, email: &str) -> anyhow::Result<Person<'a>> {
        let person = Person::arrive(url, Look::Light, 1280, 900).await?;
        person.sign_in(email).await?;
        Ok(person)
    }

    /// Signs in, whatever the language; ends when the page says who it is.
    pub async fn sign_in(&self, email: &str) -> anyhow::Result<()> {
        self.goto("/sign-in").await?;
        self.enter("email", email).await?;
        self.enter("password", PASSWORD).await?;
        self.press("form button[type=submit]", "").await?;
        self.see("[data-sign-out]", "").await?;
        Ok(())
    }

    pub async fn sign_out(&self) -> anyhow::Result<()> {
        self.press("[data-sign-out]", "").await?;
        // It ends on the home page, which may be in another build: until that stands, the browser is on its way there.
        self.see(".hero", "").await?;
        self.see("a[href='/sign-in']", "").await?;
        Ok(())
    }

    /// Waits until nothing is being loaded any more.
    pub async fn settle(&self) -> anyhow::Result<()> {
        for _ in 0..100 {
            let waits = "return String(!document.querySelector('main h1, main h2') || !!document.querySelector('.skeleton'))";
            let waits: String = self.browser.driver.execute(waits, Vec::new()).await?.convert()?;
            if waits == "false" {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        anyhow::bail!("the page was still loading after ten seconds")
    }

    pub async fn goto(&self, path: &str) -> anyhow::Result<()> {
        Ok(self.browser.driver.goto(&format!("{}{path}", self.url)).await?)
    }

    /// Waits until something is no longer there.
    async fn gone(&self, css: &str) -> anyhow::Result<()> {
        for _ in 0..100 {
            if self.browser.driver.find_all(By::Css(css)).await?.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        anyhow::bail!("{css} is still there")
    }

    pub async fn see(&self, css: &str, text: &str) -> anyhow::Result<WebElement> {
        self.browser.see(css, text).await
    }

    /// Presses what shows a text. What was drawn anew between the look and the click is looked for again, as a person does.
    pub async fn press(&self, css: &str, text: &str) -> anyhow::Result<()> {
        for _ in 0..20 {
            let element = self.see(css, text).await?;
            let pressed = async {
                element.scroll_into_view().await?;
                element.click().await
            };
            match pressed.await {
                Ok(()) => return Ok(()),
                Err(e) if gone(&e) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                Err(e) => return Err(e.into()),
            }
        }
        anyhow::bail!("{css} was drawn anew again and again")
    }

    /// Types into a field, over what was there.
    async fn enter(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let css = format!("input[name={name}], textarea[name={name}]");
        for _ in 0..20 {
            let field = self.see(&css, "").await?;
            let typed = async {
                field.send_keys(Key::Control + "a").await?;
                field.send_keys(text).await
            };
            match typed.await {
                Ok(()) => return Ok(()),
                Err(e) if gone(&e) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                Err(e) => return Err(e.into()),
            }
        }
        anyhow::bail!("{css} was drawn anew again and again")
    }

    /// Chooses one of a list by its value.
    async fn choose(&self, name: &str, value: &str) -> anyhow::Result<()> {
        self.press(&format!("select[name={name}] option[value='{value}']"), "").await
    }

    /// Confirms what waits, on the custodian's own page, and comes back.
    async fn confirm(&self) -> anyhow::Result<()> {
        // Some orders lead there at once, others by a link that says so.
        for _ in 0..100 {
            if !self.browser.driver.current_url().await?.as_str().starts_with(self.url) {
                break;
            }
            if let Ok(link) = self.browser.driver.find(By::Css("[data-confirm]")).await {
                link.click().await.ok();
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        self.see("button", "Confirm").await?;
        if let Ok(bank) = self.browser.driver.find(By::Css("input[name=bank_account]")).await {
            bank.send_keys("GB82WEST12345698765432").await?;
            // A slip of the finger is told, and nothing else has to be typed again.
            self.enter("password", PAYMENT_PASSWORD).await?;
            self.enter("password_again", "another one").await?;
            self.press("button", "Confirm").await?;
            self.see("[role=alert]", "The two payment passwords differ").await?;
            let kept = self.browser.driver.find(By::Css("input[name=bank_account]")).await?.value().await?;
            assert_eq!(kept.as_deref(), Some("GB82WEST12345698765432"));
            self.enter("password_again", PAYMENT_PASSWORD).await?;
        }
        self.enter("password", PAYMENT_PASSWORD).await?;
        self.press("button", "Confirm").await?;
        self.press("a.go", "Back to the platform").await
    }

    /// Opens a cash account and brings money in.
    async fn fund(&self, amount: &str, shown: &str) -> anyhow::Result<()> {
        self.goto("/cash").await?;
        self.press("button[type=submit]", "Continue at the custodian").await?;
        self.confirm().await?;
        self.see("[data-order=open_account]", "Done").await?;
        self.see("[data-fresh]", "Your cash account is open").await?;
        self.enter("amount", amount).await?;
        self.press("button[type=submit]", "Bring money in").await?;
        self.confirm().await?;
        self.see("[data-order=top_up]", "Done").await?;
        self.see("[data-half=ledger]", shown).await?;
        self.see("[data-half=custodian]", shown).await?;
        self.see("[data-matched=true]", "the two halves match").await?;
        Ok(())
    }

    /// Says one's word on the task of a kind.
    async fn approve(&self, kind: &str, note: &str) -> anyhow::Result<()> {
        self.goto("/staff/queue").await?;
        self.press("[data-task] a", kind).await?;
        self.enter("note", note).await?;
        self.press("button[type=submit]", "Approve").await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loan_is_asked_for_judged_funded_paid_out_and_paid_off_by_hand() -> anyhow::Result<()> {
    let app = told("COUNTERFOIL_TEST_APP")?;
    let server = Server::start(&["--app", &app]).await?;
    let door = Door::at(&server.url);
    door.staff_by(server.first_links()?, &life::STAFF).await?;
    door.register("bruno@example.test", &["BORROWER"], None).await?;
    door.register("ines@example.test", &["INVESTOR"], None).await?;
    let mut people = Vec::new();
    let outcome = whole_life(&server.url, &mut people).await;
    for (n, person) in people.into_iter().enumerate() {
        if outcome.is_err() {
            // What a person would look at first.
            person.browser.shoot(&format!("a-loan-by-hand-failed-{n}")).await.ok();
            eprintln!("{n}: {:#?}", person.browser.complaints().await);
        }
        person.browser.quit().await?;
    }
    outcome
}

async fn whole_life<'a>(url: &'a str, people: &mut Vec<Person<'a>>) -> anyhow::Result<()> {
    people.push(Person::sit_down(url, "bruno@example.test").await?);
    let bruno = &people[0];
    bruno.see("h2", "You have no loan here.").await?;
    // A page one may not see says so; a staff page to a borrower.
    bruno.goto("/staff/queue").await?;
    bruno.see("h1", "This page is for the staff.").await?;
    bruno.goto("/borrow").await?;
    bruno.see("p", "Open it first").await?;
    bruno.fund("500", "500.00").await?;
    // Whoever came for a loan is led back to it.
    bruno.see("[data-errand]", "You had begun to ask for a loan.").await?;

    // Three steps; what was typed outlives a reload, and what is missing is said where it is missing.
    bruno.goto("/borrow").await?;
    bruno.enter("amount", "10").await?;
    bruno.press("button[type=submit]", "Next").await?;
    bruno.see("#amount-hint.error", "Between USD").await?;
    bruno.enter("amount", "1,200").await?;
    bruno.enter("months", "3").await?;
    bruno.see("[data-cost]", "A month, at most").await?;
    bruno.press("button[type=submit]", "Next").await?;
    bruno.enter("purpose", "A heat pump").await?;
    bruno.enter("story", "The old boiler is from 1987.").await?;
    bruno.browser.driver.refresh().await?;
    bruno.see("[aria-current=step]", "What for").await?;
    bruno.see("#purpose-hint", "everybody sees it").await?;
    let kept = bruno.see("input[name=purpose]", "").await?.prop("value").await?;
    assert_eq!(kept.as_deref(), Some("A heat pump"), "it outlives a reload");
    bruno.browser.shoot("apply-light-wide").await?;
    bruno.press("button[type=submit]", "Next").await?;
    bruno.enter("income", "60,000").await?;
    bruno.enter("owes", "500").await?;
    bruno.enter("years", "4").await?;
    // Left before the pause after which it is kept, and taken up in another browser.
    bruno.press("nav a", "My loans").await?;
    bruno.see("[data-begun]", "").await?;
    // The pages of lenders are in another build of the app; one goes there and back without noticing.
    bruno.press("nav a", "Marketplace").await?;
    bruno.see("h1", "Marketplace").await?;
    bruno.press("nav a", "My loans").await?;
    bruno.see("[data-begun]", "").await?;
    bruno.browser.driver.back().await?;
    bruno.see("h1", "Marketplace").await?;
    bruno.browser.driver.back().await?;
    bruno.see("[data-begun]", "").await?;
    let other = Person::sit_down(url, "bruno@example.test").await?;
    // It goes on where it stopped.
    other.goto("/borrow").await?;
    for (field, typed) in [("income", "60,000"), ("owes", "500"), ("years", "4")] {
        let kept = other.see(&format!("input[name={field}]"), "").await?.prop("value").await?;
        assert_eq!(kept.as_deref(), Some(typed), "{field} in another browser");
    }
    other.browser.quit().await?;
    bruno.goto("/borrow?step=3").await?;
    // Typed a moment before it is sent: no draft of it comes after.
    bruno.enter("years", "5").await?;
    bruno.press("form button[type=submit]", "Send the application").await?;
    bruno.see("[data-summary]", "A heat pump").await?;
    // Closed, and gone elsewhere before it is: the page goes on.
    let both = "document.querySelector('dialog[open] [data-sure] + .button').click(); document.querySelector('nav a[href=\"/loans\"]').click();";
    bruno.browser.driver.execute(both, Vec::new()).await?;
    bruno.see("[data-begun]", "").await?;
    bruno.goto("/borrow?step=3").await?;
    bruno.press("form button[type=submit]", "Send the application").await?;
    bruno.see("[data-summary]", "A heat pump").await?;
    let send = bruno.see("[data-sure]", "Send the application").await?;
    send.click().await?;
    send.click().await.ok();
    bruno.see("[data-application]", "A heat pump").await?;
    bruno.see(".timeline [aria-current=step]", "Checked by two people").await?;
    let all = bruno.browser.driver.find_all(By::Css("[data-application]")).await?;
    assert_eq!(all.len(), 1, "clicked twice, sent once");
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    bruno.goto("/loans").await?;
    bruno.see("[data-application]", "A heat pump").await?;
    bruno.gone("[data-begun]").await?;
    // What the platform will take is allowed before it is needed; then nobody asks for it any more.
    bruno.see("[data-allow]", "the platform's fee of USD 12.00").await?;
    bruno.press("[data-allow] button", "Continue at the custodian").await?;
    bruno.confirm().await?;
    bruno.see("[data-application]", "A heat pump").await?;
    bruno.see("[data-allowed]", "may take the fee").await?;
    bruno.gone("[data-allow]").await?;

    // Documents: what is none is refused by what is in it; what is one is listed, and can be taken back.
    let folder = Folder::new("documents")?;
    let file = |name: &str, text: &str| {
        let path = folder.0.join(name);
        std::fs::write(&path, text)?;
        anyhow::Ok(path.display().to_string())
    };
    let add = async |path: String| {
        let input = bruno.browser.driver.find(By::Css("input[name=document]")).await?;
        anyhow::Ok(input.send_keys(path).await?)
    };
    add(file("notes.pdf", "no pdf at all")?).await?;
    bruno.see("[role=alert]", "A document is a PDF, a PNG or a JPEG.").await?;
    add(file("payslip.pdf", "%PDF-1.7 a payslip")?).await?;
    bruno.see("[data-document='payslip.pdf']", "18 B").await?;
    add(file("wrong one.pdf", "%PDF-1.7 another")?).await?;
    bruno.see("[data-document='wrong one.pdf']", "").await?;
    bruno.press("[data-document='wrong one.pdf'] .small", "Remove").await?;
    bruno.gone("[data-document='wrong one.pdf']").await?;
    bruno.browser.shoot("documents-light-wide").await?;

    // Two of the staff look at the same queue and see each other's claims at once.
    people.push(Person::sit_down(url, "officer@demo.test").await?);
    people.push(Person::sit_down(url, "supervisor@demo.test").await?);
    let (bruno, officer, supervisor) = (&people[0], &people[1], &people[2]);
    officer.press("nav a", "Marketplace").await?;
    officer.see("h1", "Marketplace").await?;
    officer.press("nav a", "Queue").await?;
    officer.press("[data-unrated] a", "A heat pump").await?;
    officer.see("[data-figures]", "USD 60,000.00").await?;
    officer.press("[data-document='payslip.pdf'] button", "payslip.pdf").await?;
    officer.enter("rate", "99").await?;
    officer.press("button[type=submit]", "Set the rate").await?;
    officer.see("#rate-hint.error", "Between").await?;
    officer.enter("rate", "12").await?;
    officer.see("#rate-hint", "about USD 408").await?;
    officer.press("button[type=submit]", "Set the rate").await?;
    officer.press("main a.button", "To the decision").await?;
    officer.see("h1", "Credit decision").await?;
    officer.goto("/staff/queue").await?;
    officer.see("[data-task=CreditDecision]", "Open").await?;
    supervisor.see("[data-task=CreditDecision]", "Open").await?;
    officer.press("[data-task] button", "Claim").await?;
    let claimed = officer.see("[data-task] .claim", "you").await?;
    drop(claimed);
    supervisor.see("[data-task] .claim", "officer@demo.test").await?;
    supervisor.browser.shoot("queue-light-wide").await?;
    officer.press("[data-task] button", "Give back").await?;
    supervisor.see("[data-task] button", "Claim").await?;
    officer.approve("Credit decision", "income documented").await?;
    officer.see(".notice", "You have approved it.").await?;
    // It waits for the second, who is told so on every page, and no more for the first.
    supervisor.see("nav [data-waiting]", "1").await?;
    officer.gone("nav [data-waiting]").await?;
    officer.goto("/staff/queue").await?;
    officer.see("[data-task=CreditDecision]", "").await?;
    officer.gone("[data-task] .claim button").await?;
    // The second person reads what the first said; a refusal without a reason is not taken.
    supervisor.press("[data-task] a", "Credit decision").await?;
    supervisor.see("[data-word=true]", "income documented").await?;
    supervisor.press("[data-refuse]", "Refuse").await?;
    supervisor.see("#note-hint.error", "a refusal needs a reason").await?;
    supervisor.browser.shoot("task-light-wide").await?;
    supervisor.enter("note", "agreed").await?;
    supervisor.press("button[type=submit]", "Approve").await?;
    supervisor.see("[data-status=Approved]", "Approved").await?;
    bruno.see(".timeline [aria-current=step]", "Funded by lenders").await?;

    // An investor brings money in, bids, takes it back, and bids for all of it.
    people.push(Person::sit_down(url, "ines@example.test").await?);
    let (bruno, ines) = (&people[0], &people[3]);
    ines.fund("5,000.00", "5,000.00").await?;
    ines.browser.shoot("cash-light-wide").await?;
    ines.goto("/marketplace").await?;
    ines.press("[data-listing] a", "A heat pump").await?;
    ines.enter("bid", "200").await?;
    ines.press("button[type=submit]", "Lend").await?;
    ines.press("[data-sure]", "Lend").await?;
    ines.confirm().await?;
    // Back where one left, and it is there.
    ines.see("[data-bid=Frozen]", "200.00").await?;
    ines.press("[data-take-back]", "Take it back").await?;
    ines.press("[data-mine] button[type=submit]", "Take it back").await?;
    ines.see("[data-bid=Withdrawn]", "200.00").await?;
    ines.see(".fund", "0 %").await?;
    ines.enter("bid", "1,200").await?;
    ines.press("button[type=submit]", "Lend").await?;
    ines.press("[data-sure]", "Lend").await?;
    ines.confirm().await?;
    bruno.see(".timeline [aria-current=step]", "Paid into your cash account").await?;

    // Two of operations pay it out.
    people.push(Person::sit_down(url, "operations@demo.test").await?);
    people.push(Person::sit_down(url, "operations2@demo.test").await?);
    let (bruno, ines, operations, second) = (&people[0], &people[3], &people[4], &people[5]);
    operations.approve("Disbursement", "filled").await?;
    operations.see(".notice", "You have approved it.").await?;
    second.approve("Disbursement", "seen").await?;
    // Money moves with the second word: it asks once more, and nothing was sent by then.
    second.see("dialog[open]", "Yours is the second word").await?;
    second.see("[data-status=Proposed]", "").await?;
    second.press("[data-sure]", "Yes, approve").await?;
    second.see("[data-status=Approved]", "Approved").await?;
    bruno.see("[data-loan]", "Running").await?;
    bruno.press("[data-loan] a", "A heat pump").await?;
    bruno.see("[data-figure=due]", "Next: USD 408").await?;

    // An instalment by hand, within what was allowed; then all of the rest for the figure that was shown, which is more
    // than that and confirmed at the custodian.
    bruno.press("[data-repay] button", "Pay USD 408").await?;
    // It is said what is paid, and that it is not due yet; nothing has moved by then.
    bruno.see("dialog[open]", "Paid today it costs the same").await?;
    bruno.press("dialog[open] [data-sure]", "Pay USD 408").await?;
    bruno.see("[data-instalment='1']", "Paid on").await?;
    bruno.browser.shoot("loan-light-wide").await?;
    bruno.press("[data-quote] button", "Show what it takes today").await?;
    let figure = bruno.see("[data-payoff]", "USD").await?.text().await?;
    let due = figure.trim_start_matches("USD").trim().to_string();
    bruno.press("[data-take] button", "end the loan").await?;
    bruno.confirm().await?;
    bruno.see("[data-payments]", "paid off").await?;
    bruno.see("[data-fee=Settled]", "12.00").await?;
    bruno.goto("/loans").await?;
    bruno.see("[data-loan]", "Paid back").await?;

    // The investor sees each payment, and both books side by side; the file is safe for a spreadsheet.
    ines.goto("/portfolio?show=over").await?;
    ines.press("[data-history]", "Payments").await?;
    let beneath = ines.see(".beneath tbody", "").await?;
    let rows = beneath.find_all(By::Css("tr")).await?;
    assert_eq!(rows.len(), 2, "one instalment and the rest");
    ines.goto("/statement").await?;
    ines.see("[data-entry=Disbursement]", "Lent").await?;
    ines.see("[data-entry=Disbursement] a", "A heat pump").await?;
    let apart = ines.browser.driver.find_all(By::Css(".seam-cell.apart")).await?;
    assert!(apart.is_empty(), "each movement has its counterfoil");
    ines.see("[data-entry=Repayment] [data-interest]", "interest").await?;
    ines.browser.shoot("statement-light-wide").await?;
    // Narrowed to one kind, each line still says what there was after it.
    ines.choose("kind", "in").await?;
    ines.gone("[data-entry=Repayment]").await?;
    ines.see("[data-entry=TopUp] [data-after]", "5,000.00").await?;
    ines.goto("/statement?from=2001-01-01&to=2001-12-31").await?;
    ines.see(".empty", "Nothing like that has moved.").await?;
    bruno.goto("/statement").await?;
    bruno.see("[data-entry=Repayment]", &due).await.context("what was quoted was paid, to the cent")?;

    // A person found: what they applied for, and what the custodian was asked to do for them.
    operations.goto("/staff/find?q=bruno").await?;
    operations.press("[data-person] a", "").await?;
    operations.see("[data-application=Approved]", "A heat pump").await?;
    operations.browser.shoot("person-light-wide").await?;
    operations.press("[data-who] a", "Their orders").await?;
    operations.see("[data-whose]", "").await?;
    operations.see("[data-order=top_up]", "500.00").await?;
    operations.choose("kind", "repay").await?;
    operations.gone("[data-order=top_up]").await?;
    operations.see("[data-order=repay]", "").await?;

    // The day is closed and both books are proved.
    operations.goto("/staff/day").await?;
    operations.see("[data-verdict=Matched]", "Matched").await?;
    operations.browser.shoot("day-light-wide").await?;
    // What was proved is everybody's to know.
    ines.goto("/").await?;
    ines.see("[data-proof=Matched]", "the two halves match").await?;
    ines.browser.shoot("home-proved-light-wide").await?;
    let expected = ["422", "400", "401", "415"];
    for person in people.iter() {
        let complaints = crate::without(person.browser.complaints().await?, &expected);
        assert!(complaints.is_empty(), "the page complains: {complaints:#?}");
    }
    Ok(())
}

/// A borrower to whom the rate does not suit takes the listing back, and refuses at the custodian what they had begun.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_borrower_takes_a_listing_back_and_refuses_an_order() -> anyhow::Result<()> {
    let app = told("COUNTERFOIL_TEST_APP")?;
    let server = Server::start(&["--app", &app]).await?;
    let door = Door::at(&server.url);
    door.staff_by(server.first_links()?, &life::STAFF).await?;
    let text = life::documents(finance::Currency::USD, 100);
    let second = text.find("# As investor2.usd@example.test: bids").context("the second bid")?;
    life::play(life::Stage::Served, &door, &text[..second]).await?;
    let lender = Person::sit_down(&server.url, "investor1.usd@example.test").await?;
    let borrower = Person::sit_down(&server.url, "borrower.usd@example.test").await?;
    let outcome = async {
        lender.goto("/overview").await?;
        lender.see(".facts", "5,000.00").await?;
        borrower.goto("/loans").await?;
        borrower.see("[data-application]", "a month").await?;
        borrower.press("[data-take-back] summary", "Take it off the market").await?;
        borrower.see("[data-take-back] p", "nobody owes anything").await?;
        borrower.press("[data-take-back] button", "Take it off the market").await?;
        borrower.see("[data-application] .tag", "Cancelled").await?;
        borrower.gone("[data-take-back]").await?;
        // All that was set aside is the lender's again, without a reload.
        lender.see(".facts", "10,000.00").await?;

        borrower.goto("/cash").await?;
        borrower.enter("amount", "20").await?;
        borrower.press("button[type=submit]", "Bring money in").await?;
        borrower.press("button[value=refuse]", "Refuse").await?;
        borrower.press("a.go", "Back to the platform").await?;
        borrower.see(".toast", "You refused it at the custodian. Nothing was moved.").await?;
        borrower.see("[data-order=top_up]", "Refused by you").await?;
        for person in [&lender, &borrower] {
            let complaints = crate::without(person.browser.complaints().await?, &["422", "400", "401"]);
            assert!(complaints.is_empty(), "the page complains: {complaints:#?}");
        }
        anyhow::Ok(())
    }
    .await;
    for (n, person) in [lender, borrower].into_iter().enumerate() {
        if outcome.is_err() {
            person.browser.shoot(&format!("taken-back-failed-{n}")).await.ok();
            eprintln!("{n}: {:#?}", person.browser.complaints().await);
        }
        person.browser.quit().await?;
    }
    outcome
}

/// Somebody who has only the address, and two who have only what the first start printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newcomers_register_and_administrators_let_staff_in() -> anyhow::Result<()> {
    let app = told("COUNTERFOIL_TEST_APP")?;
    let (mail_url, taken) = mail::server(false).await?;
    let from = "Counterfoil <no-reply@lend.example.org>";
    let server = Server::start(&["--app", &app, "--smtp-url", &mail_url, "--mail-from", from]).await?;
    let links = server.first_links()?;
    let mut people = Vec::new();
    let outcome = arrive(&server.url, &links, &taken, &mut people).await;
    for (n, person) in people.into_iter().enumerate() {
        if outcome.is_err() {
            person.browser.shoot(&format!("newcomers-failed-{n}")).await.ok();
            eprintln!("{n}: {:#?}", person.browser.complaints().await);
        }
        person.browser.quit().await?;
    }
    outcome
}

/// What an authenticator shows for the key on the page, some steps of thirty seconds from now.
fn shown(key: &str, steps: u64) -> anyhow::Result<String> {
    let key = key.split_whitespace().collect::<String>();
    let secret = totp_rs::Secret::try_from_base32(&key).map_err(|e| anyhow::anyhow!("{e}"))?;
    let totp = totp_rs::Builder::new().with_secret(secret).with_account_name("a").build();
    let now = u64::try_from(SystemClock.now().timestamp())?;
    Ok(totp.map_err(|e| anyhow::anyhow!("{e}"))?.generate(now + 30 * steps).to_string())
}

/// Sets one up, is asked for it, and comes in with a code and with one of those kept for when the phone is lost.
async fn second_factor(person: &Person<'_>) -> anyhow::Result<()> {
    person.goto("/account").await?;
    // Left by the keyboard, the dialog gives the focus back to where it was.
    person.press("[data-set-up]", "Set up").await?;
    person.see("dialog[open] input[name=factor-password]", "").await?;
    person.browser.driver.active_element().await?.send_keys(Key::Escape + "").await?;
    person.gone("dialog[open]").await?;
    let held = "return String(document.activeElement.matches('[data-set-up]'))";
    let held: String = person.browser.driver.execute(held, Vec::new()).await?.convert()?;
    assert_eq!(held, "true", "the focus is where it was");

    person.press("[data-set-up]", "Set up").await?;
    person.enter("factor-password", "not this one").await?;
    person.press("dialog button[type=submit]", "Next").await?;
    person.see("dialog [role=alert]", "This is not your present password.").await?;
    person.enter("factor-password", PASSWORD).await?;
    person.press("dialog button[type=submit]", "Next").await?;
    let key = person.see("dialog [data-secret]", "").await?.text().await?;
    // The picture is one, and not an address that leads nowhere.
    let drawn = "return String(document.querySelector('dialog img').naturalWidth > 0)";
    let drawn: String = person.browser.driver.execute(drawn, Vec::new()).await?.convert()?;
    assert_eq!(drawn, "true", "the code can be scanned");
    let barriers = person.browser.barriers().await?;
    assert!(barriers.is_empty(), "{barriers:#?}");
    person.browser.shoot("second-factor-dark-narrow").await?;
    person.enter("code", "000000").await?;
    person.press("dialog button[type=submit]", "Turn it on").await?;
    person.see("dialog [role=alert]", "This code is wrong or was used").await?;
    person.enter("code", &shown(&key, 0)?).await?;
    person.press("dialog button[type=submit]", "Turn it on").await?;
    let kept = person.see("dialog .codes li code", "-").await?.text().await?;
    person.browser.shoot("recovery-codes-dark-narrow").await?;
    person.press("[data-kept]", "I have kept them").await?;
    person.see("[data-factor=true]", "10 recovery codes are left.").await?;

    person.sign_out().await?;
    let enter = async |code: &str| {
        person.goto("/sign-in").await?;
        person.enter("email", "mei@example.test").await?;
        person.enter("password", PASSWORD).await?;
        person.press("button[type=submit]", "Sign in").await?;
        person.enter("code", "999999").await?;
        person.press("button[type=submit]", "Sign in").await?;
        person.see("[role=alert]", "This code is wrong or was used").await?;
        person.enter("code", code).await?;
        person.press("button[type=submit]", "Sign in").await?;
        person.see("[data-sign-out]", "").await.map(drop)
    };
    enter(&kept).await?;
    person.sign_out().await?;
    enter(&shown(&key, 1)?).await?;
    // Each device can be sent away on its own.
    person.goto("/account").await?;
    person.see("[data-factor=true]", "9 recovery codes are left.").await?;
    person.press("[data-turn-off]", "Turn it off").await?;
    person.enter("factor-password", PASSWORD).await?;
    person.enter("code", "not a code").await?;
    person.press("dialog button[type=submit]", "Turn it off").await?;
    person.see("dialog [role=alert]", "This code is wrong or was used").await.map(drop)?;
    person.browser.driver.active_element().await?.send_keys(Key::Escape + "").await?;
    person.gone("dialog[open]").await
}

/// A program is let in, its secret shown once, and the right taken back.
async fn a_program(person: &Person<'_>) -> anyhow::Result<()> {
    person.press("[data-add]", "Add a program").await?;
    person.press("dialog button[type=submit]", "Add a program").await?;
    person.see("#scopes-hint", "Choose what it may read.").await?;
    person.enter("name", "Tax software").await?;
    person.press("dialog input[name=ACCOUNTS]", "").await?;
    person.enter("program-password", "not this one").await?;
    person.press("dialog button[type=submit]", "Add a program").await?;
    person.see("dialog [role=alert]", "This is not your present password.").await?;
    person.enter("program-password", PASSWORD).await?;
    person.press("dialog button[type=submit]", "Add a program").await?;
    person.see("[data-client-secret]", "cfs_").await?;
    person.browser.shoot("program-dark-narrow").await?;
    person.press("[data-kept]", "I have kept it").await?;
    person.see("[data-program='Tax software']", "not used yet").await?;
    person.press("[data-revoke]", "Revoke").await?;
    person.press("dialog button[type=submit]", "Revoke").await?;
    person.gone("[data-program]").await
}

async fn arrive<'a>(
    url: &'a str,
    links: &[String],
    taken: &mail::Taken,
    people: &mut Vec<Person<'a>>,
) -> anyhow::Result<()> {
    people.push(Person::arrive(url, Look::Dark, 390, 844).await?);
    let mei = &people[0];
    mei.goto("/loans").await?;
    mei.press("main a, .top a", "Sign in").await?;
    mei.see("h1", "Sign in").await?;
    mei.goto("/").await?;
    mei.press("main a.button", "Register").await?;
    mei.see("h1", "Register").await?;
    mei.press("button[type=submit]", "Next").await?;
    mei.see("#name-hint.error", "Enter your name").await?;
    mei.enter("name", "Mei Lindqvist").await?;
    mei.choose("country", "GB").await?;
    mei.enter("number", "P1234567").await?;
    mei.press("button[type=submit]", "Next").await?;
    mei.enter("email", "mei@example.test").await?;
    mei.enter("password", "short").await?;
    mei.press("button[type=submit]", "Register").await?;
    mei.see("#password-hint.error", "At least 10 characters").await?;
    let kept = mei.browser.driver.execute("return JSON.stringify(sessionStorage)", Vec::new()).await?;
    assert!(!kept.convert::<String>()?.contains("short"), "a password is kept nowhere");
    mei.enter("password", PASSWORD).await?;
    mei.browser.shoot("register-dark-narrow").await?;
    mei.press("button[type=submit]", "Register").await?;
    mei.see("h2", "Open your cash account").await?;
    mei.press("button[type=submit]", "Continue at the custodian").await?;
    mei.confirm().await?;
    mei.see("[data-order=open_account]", "Done").await?;
    // What the custodian may do by itself: asked for here, given there, seen here with its limits.
    mei.press("summary", "Allow something").await?;
    mei.enter("each", "1,000").await?;
    mei.enter("total", "500").await?;
    mei.see("#total-hint.error", "at least as much").await?;
    mei.enter("total", "5,000").await?;
    mei.press("details button[type=submit]", "Continue at the custodian").await?;
    mei.confirm().await?;
    mei.see("[data-consent=Bid]", "5,000.00").await?;
    mei.browser.shoot("cash-dark-narrow").await?;
    mei.goto("/account").await?;
    mei.see("[data-session=true]", "here").await?;
    mei.enter("current", "not this one").await?;
    mei.enter("new", "another long password").await?;
    mei.press("button[type=submit]", "Change the password").await?;
    mei.see("[role=alert]", "This is not your present password.").await?;
    mei.enter("current", PASSWORD).await?;
    mei.press("button[type=submit]", "Change the password").await?;
    mei.see("[role=status]", "The password has been changed.").await?;
    // What has happened is counted at once, and read; the page itself has said it.
    mei.see(".bell[data-unread='1']", "1").await?;
    mei.press(".bell", "").await?;
    mei.see("[data-notice=PasswordChanged].unread", "Your password was changed.").await?;
    mei.see(".bell[data-unread='0']", "").await?;
    mei.browser.shoot("notices-dark-narrow").await?;

    // The address is shown to be theirs by the letter's link.
    mei.see(".unconfirmed", "We have sent an e-mail to mei@example.test.").await?;
    let confirm = mail::link(taken, "mei@example.test", "/confirm").await?;
    mei.goto(&confirm).await?;
    mei.see("[role=status]", "Thank you: this address is yours.").await?;
    mei.goto("/account").await?;
    mei.see("dd", "confirmed").await?;
    anyhow::ensure!(mei.browser.driver.find_all(By::Css(".unconfirmed")).await?.is_empty());

    // Who has forgotten the password chooses another by a letter; the answer does not say whether there is an account.
    mei.sign_out().await?;
    mei.goto("/sign-in").await?;
    mei.press("a", "Forgotten your password?").await?;
    mei.enter("email", "nobody@example.test").await?;
    mei.press("button[type=submit]", "Send me a link").await?;
    mei.see("[role=status]", "If nobody@example.test has an account here").await?;
    mei.press("button", "Another address").await?;
    mei.enter("email", "mei@example.test").await?;
    mei.press("button[type=submit]", "Send me a link").await?;
    mei.see("[role=status]", "If mei@example.test has an account here").await?;
    let reset = mail::link(taken, "mei@example.test", "/reset").await?;
    mei.goto(&reset).await?;
    mei.enter("password", "short").await?;
    mei.press("button[type=submit]", "Change the password").await?;
    mei.see("#password-hint.error", "At least 10 characters").await?;
    mei.enter("password", PASSWORD).await?;
    mei.press("button[type=submit]", "Change the password").await?;
    mei.see("[role=status]", "Your password has been changed.").await?;
    // What leads nowhere any more is said before somebody thinks of a password.
    mei.goto(&reset).await?;
    mei.see("[role=alert]", "The link was used, has run out or is not ours").await?;
    mei.gone("input[name=password]").await?;
    mei.sign_in("mei@example.test").await?;
    second_factor(mei).await?;
    a_program(mei).await?;

    for (n, link) in links.iter().enumerate() {
        people.push(Person::arrive(url, Look::Light, 1280, 900).await?);
        let admin = people.last().context("the one who has just come")?;
        admin.goto(&format!("/invitation/{link}")).await?;
        admin.see("h1", "Join the staff").await?;
        admin.enter("name", &format!("Administrator {n}")).await?;
        admin.choose("country", "GB").await?;
        admin.enter("number", &format!("A000000{n}")).await?;
        admin.press("button[type=submit]", "Next").await?;
        admin.enter("email", &format!("admin{n}@example.test")).await?;
        admin.enter("password", PASSWORD).await?;
        admin.press("button[type=submit]", "Register").await?;
        // One alone has no power yet.
        let seen = if n == 0 { "This page is for the staff." } else { "No open tasks" };
        admin.see("h1", seen).await?;
    }
    let (mei, first, second) = (&people[0], &people[1], &people[2]);
    first.browser.driver.refresh().await?;
    first.see("h1", "No open tasks").await?;
    first.press("nav a", "People").await?;
    second.press("nav a", "People").await?;
    first.enter("reason", "Olga begins on Monday").await?;
    first.press("button[type=submit]", "Invite somebody").await?;
    // Nobody decides on their own proposal.
    first.see("[data-change=InviteStaff]", "You proposed it; another administrator decides.").await?;
    second.see("nav [data-waiting='1']", "1").await?;
    second.see("[data-change=InviteStaff]", "Olga begins on Monday").await?;
    second.press("[data-change] button", "Approve").await?;
    let link = second.see("[data-link]", "/invitation/").await?.text().await?;
    second.browser.shoot("people-light-wide").await?;
    // What somebody may do is changed by two as well, of whomever one finds.
    first.see("[data-person='admin1@example.test']", "Administrator").await?;
    first.enter("q", "mei@").await?;
    first.press("[data-person='mei@example.test'] button", "Propose a change").await?;
    first.choose("what", "+AUDITOR").await?;
    first.press("[data-propose] button[type=submit]", "Propose a change").await?;
    first.see("#why-hint.error", "").await?;
    first.enter("why", "she looks at the books").await?;
    first.press("[data-propose] button[type=submit]", "Propose a change").await?;
    first.gone("[data-propose]").await?;
    second.see("[data-change=GrantRole]", "Mei Lindqvist").await?;
    second.press("[data-change=GrantRole] button", "Refuse").await?;
    second.gone("[data-change=GrantRole]").await?;
    // What they did stands in the log.
    second.press("nav a", "Audit log").await?;
    second.see("[data-proof=whole]", "The log is whole").await?;
    second.see("[data-act=changePropose]", "Proposed a change of rights").await?;
    second.see("[data-act=changeDecide]", "Decided a change of rights").await?;
    second.browser.shoot("audit-light-wide").await?;
    mei.goto("/staff/people").await?;
    mei.see("h1", "This page is for the staff.").await?;
    mei.sign_out().await?;
    mei.browser.driver.goto(&link).await?;
    mei.see("h1", "Join the staff").await?;
    let expected = ["422", "400", "401", "403"];
    for person in people.iter() {
        let complaints = crate::without(person.browser.complaints().await?, &expected);
        assert!(complaints.is_empty(), "the page complains: {complaints:#?}");
    }
    Ok(())
}
