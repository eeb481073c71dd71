//! English.

use super::*;

pub(super) static EN: Messages = Messages {
    business_day: "Business day",
    skip: "Skip to the content",
    main_navigation: "Main",
    menu: "Menu",
    terms: TermsPage {
        title: "Terms, risks and your data",
        sections: [
            (
                "Whose terms these are",
                [
                    "Whoever runs an installation of Counterfoil gives it terms of use, an imprint and a way to complain. This one has none yet: it is for trying things out, with made-up money.",
                    "What follows is true of every installation, because the program works that way.",
                ],
            ),
            (
                "What you risk when you lend",
                [
                    "Lending is no deposit and no guarantee scheme covers it. If a borrower stops paying, you can lose all that you lent to them; nobody pays in their place.",
                    "What you have lent comes back month by month and cannot be called back before. What earlier loans brought says nothing about later ones. Borrowers are not graded here: judge each loan by itself, and lend small shares to many.",
                ],
            ),
            (
                "Where your money is",
                [
                    "It lies in your own cash account at an independent custodian, from beginning to end. It moves only by an order that you confirm there with your payment password, or within limits that you set there and can take back at any time.",
                    "The platform holds none of it, and nobody who works here can move it alone. Each day both books are proved equal, and what the proof found is on the first page.",
                ],
            ),
            (
                "What becomes of your data",
                [
                    "We keep your name, your e-mail address and what you write into an application. Of your identity document we keep a mark from which its number cannot be read. Documents to an application are seen by you and by those who decide it, and each time somebody of the staff opens one it is written down.",
                    "The books hold numbers and no names, so that you can be erased and a book cannot. The custodian learns your name when you open an account there. This site sets one cookie, which keeps you signed in, and follows nobody.",
                ],
            ),
        ],
    },
    home_link: "Counterfoil, home",
    language: "Language",
    light: "Light",
    dark: "Dark",
    switch_colours: "Light or dark colours",
    sign_in: "Sign in",
    sign_out: "Sign out",
    marketplace: "Marketplace",
    calculator: "Calculator",
    foot: "The platform holds none of this money: it lies in each user's own cash account at an independent custodian.",
    loading: "Loading",
    again: "Try again",
    offline: "The platform cannot be reached. What you typed is still here; sending it again does nothing twice.",
    unreadable: "The platform's answer could not be read. Try again.",
    no_answer: "The platform gave no answer. Try again.",
    did_not_work: "That did not work.",
    stopped: (
        "This page has stopped because of a fault of ours. Nothing that was sent is lost, and nothing was done twice.",
        "Load it again",
    ),
    funded: "Funded",
    live: "live",
    connecting: "connecting",
    reconnecting: "reconnecting; figures may be old",
    rate_a_year: "Rate a year",
    months: "Months",
    amount: "Amount",
    interest: "Interest",
    principal: "Principal",
    left: "Balance",
    role: |role| match role {
        Role::Borrower => "Borrower",
        Role::Investor => "Investor",
        Role::CreditOfficer => "Credit officer",
        Role::CreditSupervisor => "Credit supervisor",
        Role::Operations => "Operations",
        Role::Auditor => "Auditor",
        Role::Administrator => "Administrator",
    },
    listing_status: |status| match status {
        ListingStatus::Open => "Open",
        ListingStatus::Filled => "Filled",
        ListingStatus::Disbursing => "Being paid out",
        ListingStatus::Disbursed => "Paid out",
        ListingStatus::Expired => "Expired",
        ListingStatus::Cancelled => "Cancelled",
    },
    bid_status: |status| match status {
        BidStatus::Reserved => "Waits for the custodian",
        BidStatus::Frozen => "Frozen for this loan",
        BidStatus::Settled => "Lent",
        BidStatus::Refused => "Refused",
        BidStatus::Withdrawing => "On its way back",
        BidStatus::Withdrawn => "Withdrawn",
        BidStatus::Returned => "Given back",
    },
    loan_status: |status| match status {
        LoanStatus::AwaitingDisbursement => "Being paid out",
        LoanStatus::Active => "Running",
        LoanStatus::Overdue => "Overdue",
        LoanStatus::Closed => "Paid back",
        LoanStatus::Cancelled => "Cancelled",
    },
    state: "State",
    month: "Month",
    members_only: "Sign in to see this page.",
    as_table: "As a table",
    choose: "Choose…",
    bars: |from, first, to, last| format!("{first} on {from}, {last} on {to}"),
    home: Home {
        in_flight: "Some orders wait for their owner's word or for the custodian's answer. Nothing is missing, and nothing has moved for them yet.",
        title: "Two halves that match",
        lead: "People lend to people. Every movement in our ledger has its counterfoil in your own cash account at an independent custodian, and the two sides are proved equal every day.",
        see_open: "See what is open",
        reckon: "Calculate a loan",
        proved: |owners, at| format!("The two halves of {owners} owners, compared on {at}."),
        all_in_ledger: "All clients' money in our ledger",
        all_at_custodian: "In their own accounts at the custodian, by its signed statement",
        promises: [
            (
                "Your money stays yours",
                "The platform has no account your money could lie in. It moves from your cash account to a borrower's and back, on orders you consented to at the custodian.",
            ),
            (
                "Nobody moves it alone",
                "A loan is approved by two people and paid out by two people. No member of staff, the administrator included, can redirect a cent.",
            ),
            (
                "To the cent, and provable",
                "Each repayment is split over all who lent, without a float anywhere; what rounding leaves over travels with your share until it makes a cent.",
            ),
        ],
    },
    not_found: NotFound {
        page: "Not found",
        title: "There is no page at this address.",
        nothing_lost: "Nothing was lost.",
        begin: "Go to the home page.",
    },
    term: Terms {
        ask: |term| format!("What does “{term}” mean?"),
        means: |term| match term {
            Finance::Available => "Money in your cash account that you can lend or withdraw at once.",
            Finance::SetAside => {
                "Frozen by the custodian for your bids. It is still in your own cash account, earns nothing yet, and is free again if the loan does not come about."
            }
            Finance::LentOut => {
                "The principal that borrowers still owe you. It comes back with each instalment, if they pay."
            }
            Finance::Xirr => {
                "The yearly rate at which what you paid in equals what you received and what is still out, taken at its face."
            }
            Finance::Rate => {
                "Interest a year on the principal that is still owed. Because part of the principal comes back each month, a loan at 12 % for a year pays about 6.6 % of the whole amount in interest."
            }
            Finance::Instalment => {
                "The same amount each month: interest on what is still owed, and the rest repays principal. Only the last may differ by a few cents."
            }
            Finance::Owed => {
                "The principal that has not been repaid. Interest that has grown since the last instalment comes on top."
            }
            Finance::Fee => "The platform's part, taken once from the amount when it is paid out to you.",
            Finance::StandingConsent => {
                "An order to the custodian, given by you and confirmed with your payment password, to let through orders of one kind within your limits. You take it back there at any time."
            }
            Finance::ConsentUsed => {
                "The sum of all orders that went through under this consent since you gave it, as the custodian counts. What was taken back later counts too: give the consent anew to begin again."
            }
            Finance::MovementNumber => {
                "The number that the custodian gave this movement in its own books. Quote it when you ask there."
            }
            Finance::OwnersCompared => {
                "For each owner and currency: the sum of the accounts in our ledger against the cash account at the custodian."
            }
            Finance::BusinessDay => {
                "The day by which loans run: what falls due, interest and notices go by it. It ends when the day's business is closed. In a demo a person closes it, so that it may be ahead of your calendar."
            }
            Finance::HashChain => {
                "Each entry of the ledger holds the fingerprint of the one before, so that none can be changed afterwards without all later ones changing too."
            }
        },
    },
    market: Market {
        rate_lowest: "Lowest rate",
        ends_latest: "Ends latest",
        nothing_fits: "Nothing fits what you look for",
        clear: "Clear search and filters",
        search: "Search by purpose",
        which: "Which listings",
        open: "Open",
        filled: "Filled",
        paid_out: "Paid out",
        all: "All",
        nothing: "Nothing here at the moment",
        by_themselves: "New listings appear by themselves; this page is live.",
        purpose: "Purpose",
        pays_monthly: "Pays monthly",
        until: "Until",
        more: "Show more",
        any: "Any",
        rate_from: "Rate",
        percent_or_more: |n| format!("{n}\u{a0}% or more"),
        term_up_to: "Term",
        up_to_months: |n| format!("Up to {n} months"),
        order: "Sort by",
        newest: "Newest",
        rate_highest: "Highest rate",
        term_shortest: "Shortest term",
        term_longest: "Longest term",
        amount_smallest: "Smallest amount",
        amount_greatest: "Greatest amount",
        ends_soonest: "Ends soonest",
    },
    listing: ListingPage {
        borrows_only: "Your account was registered to borrow, and does not lend.",
        join: "Lend a part of it from your own cash account.",
        just_came: |amount| format!("{amount} just came in"),
        none: "There is no such listing",
        to_market: "To the marketplace",
        still_sought: |rest, until| format!("{rest} are still sought, until {until}."),
        all_there: "All of it is there and frozen. Two people now check and pay it out.",
        paying: "It is being paid out, from each lender's own account to the borrower's.",
        paid: "It was paid out. From then on the loan runs by its own schedule.",
        expired: "It was not filled in time. Everything went back to those who had bid.",
        cancelled: "It was cancelled. Everything went back to those who had bid.",
        funding: "Funding",
        of: |amount| format!("of {amount}"),
        terms: "Terms",
        borrower_pays: "Monthly payment",
        smallest_bid: "Smallest bid",
        words: "In the borrower's words",
        all_rows: |n| format!("All {n} payments; the list goes on when you scroll it."),
        no_grade: "Borrowers are not graded here yet. Two members of the credit desk have looked at what the borrower told and showed them; one proposed this rate and the other agreed.",
        no_words: "Nothing was added.",
        before: "Before you lend",
        warnings: [
            "You may lose what you lend: if the borrower stops paying, nobody pays instead.",
            "Once it is paid out you cannot take it back early; it returns month by month.",
            "Many small shares of many loans are safer than one large one.",
        ],
        back: "How it would be paid back",
        back_as_offered: "How it is paid back",
        see_portfolio: "Month by month since the day it was paid out. Whoever lent sees each payment in their portfolio.",
        if_today: "If it were paid out today. Interest starts on the day of the payout.",
        due: "Due",
    },
    reckon: Reckon {
        too_small: "There is no schedule for these figures: the monthly payment would not cover the interest in whole cents. Try a larger amount or fewer months.",
        title: "What would a loan cost?",
        lead: "The same arithmetic as in our ledger, to the cent. What the borrower pays is what all who lent receive. The platform's one-off fee is not in it: it depends on the product, and is shown when you ask for a loan.",
        currency: "Currency",
        rate_percent: "Rate a year, per cent",
        above_zero: "The amount must be above zero.",
        no_decimals: |currency, example| format!("{currency} has no decimals: digits only, as in {example}."),
        decimals: |decimals, example| format!("Digits with at most {decimals} decimals, as in {example}."),
        percent_form: |example| format!("Per cent a year, as in {example}."),
        percent_most: "At most 100 per cent a year.",
        months_form: "Whole months, from 1 to 360.",
        mend: "Correct the marked fields to see the figures.",
        each_month: "Each month",
        in_all: "Interest in all",
        paid_back: "You pay back in all",
        last_month: "Last month",
        number: "No.",
    },
    close: "Close",
    total: "Total",
    ways: Ways { queue: "Queue", find: "Find", people: "People" },
    copy: "Copy",
    copied: "Copied",
    signed_out_elsewhere: "You were signed out from another device, or your password was changed there.",
    cancel: "Cancel",
    action: "What to do",
    notices: NoticesPage {
        title: "Notices",
        none: "Nothing yet. What happens to your money and your loans is told here.",
        new: "New:",
        since: "Since you last looked",
        bell: |n| match n {
            0 => "Notices, none new".into(),
            1 => "Notices, 1 new".into(),
            n => format!("Notices, {n} new"),
        },
        says: |kind, sum| {
            match kind {
            NoticeKind::BidRefused => format!("The custodian did not freeze your bid of {sum}."),
            NoticeKind::BidReleased => format!("Your bid of {sum} is free again."),
            NoticeKind::BidLent => format!("Your {sum} are lent."),
            NoticeKind::PaymentReceived => format!("You received {sum}."),
            NoticeKind::NoteOverdue => format!("A loan in which you have {sum} is overdue."),
            NoticeKind::ApplicationApproved => format!("Your application for {sum} is on the marketplace."),
            NoticeKind::ApplicationDeclined => format!("Your application for {sum} was declined."),
            NoticeKind::ListingFilled => format!("Your loan of {sum} is fully funded."),
            NoticeKind::ListingExpired => format!("Your loan of {sum} was not funded in time."),
            NoticeKind::ListingCancelled => format!("The listing of your loan of {sum} was cancelled."),
            NoticeKind::LoanPaidOut => format!("Your loan of {sum} has been paid out."),
            NoticeKind::LoanUndone => format!("Your loan of {sum} could not be paid out and has ended."),
            NoticeKind::RepaymentTaken => format!("Your repayment of {sum} has been passed on."),
            NoticeKind::RepaymentFailed => format!("Your repayment of {sum} did not go through."),
            NoticeKind::LoanOverdue => "A payment of your loan is overdue.".into(),
            NoticeKind::LoanClosed => format!("Your loan of {sum} is repaid."),
            NoticeKind::TopUpArrived => format!("Your {sum} have arrived."),
            NoticeKind::WithdrawalPaid => format!("Your withdrawal of {sum} has been paid out."),
            NoticeKind::WithdrawalFailed => format!("Your withdrawal of {sum} did not go through."),
            NoticeKind::AccountBlocked => format!(
                "A movement of {sum} in your cash account is being looked into; until then no money leaves it."
            ),
            NoticeKind::AccountFree => "Your account is free again.".into(),
            NoticeKind::PasswordChanged => "Your password was changed.".into(),
            NoticeKind::FactorAdded => "From now on a code is asked for when you sign in.".into(),
            NoticeKind::FactorRemoved => "A code is no longer asked for when you sign in.".into(),
            NoticeKind::ClientCreated => {
                "A program may read for you from now on. If it was not you, revoke it and change your password.".into()
            }
            NoticeKind::RecoveryCodeUsed => {
                "One of your recovery codes was used. If it was not you, change your password now.".into()
            }
            NoticeKind::TaskApproved => "A task that you approved was approved by a second person.".into(),
            NoticeKind::TaskRefused => "A task that you approved was refused by a second person.".into(),
            NoticeKind::Other => "Something happened in your account.".into(),
        }
        },
        mail: "E-mail me what is important",
        mail_means: "What asks you to act or concerns your account's safety. It goes to a confirmed address only.",
    },
    letters: Letters {
        dead: "the link was used, has run out or is not ours",
        whose: "Whose mail",
        to_me: "To me",
        to_all: "To everybody",
        forgotten: "Forgotten your password?",
        forgotten_lead: "We send you a link with which you choose a new one.",
        ask: "Send me a link",
        asked: |email| {
            format!(
                "If {email} has an account here, an e-mail is on its way to it. Its link works for an hour."
            )
        },
        other: "Another address",
        reset: "Choose a new password",
        reset_means: "At least 10 characters. Every device is signed out.",
        reset_done: "Your password has been changed. Sign in with the new one.",
        confirm: "Confirm your address",
        confirmed: "Thank you: this address is yours.",
        confirm_again: "Sign in, and have the e-mail sent again.",
        unconfirmed: |email| {
            format!("We have sent an e-mail to {email}. Open its link to show that the address is yours.")
        },
        send_again: "Send it again",
        sent: "It is on its way.",
        is_confirmed: "confirmed",
        not_confirmed: "not confirmed",
        mailbox: "The demo's mailbox",
        mailbox_lead: "This demo sends no mail. What it would have sent to anybody is kept here.",
        find: "Search by address or subject",
        newest: |n| format!("The newest {n} are shown."),
        addressee: "To",
        no_mail: "No mail yet.",
        to_mailbox: "Read the mail that this demo keeps",
    },
    entrance: Entrance {
        already: |name| format!("You are signed in as {name}"),
        show_password: "Show the password",
        show: "Show",
        hide: "Hide",
        email: "E-mail address",
        password: "Password",
        busy: "Signing in…",
        demo: "Demo accounts",
        demo_lead: "Made-up people with a year of history. Their password, also at the custodian's pages:",
    },
    overview: OverviewPage {
        you_owe: "What you owe",
        top_up_first: "Bring money into your cash account; then lend a first small amount.",
        where_it_is: "Where your money is",
        title: "Overview",
        you_have: |amount| format!("You have {amount}."),
        next: |amount, on| format!("{amount} comes back on {on}, if everybody pays on the day."),
        missing: |amount| {
            format!(
                "{amount} are missing. No money leaves your account until this has been explained; our staff are looking at it."
            )
        },
        available: "Available",
        frozen: "Set aside",
        lent_out: "Lent out",
        earned: "Interest received",
        xirr: "Return a year (XIRR)",
        overdue: "Still out in loans that are late",
        comes_back: "What comes back, month by month",
        bids: "Bids under way",
        bids_sum: |sum| format!("{sum} in all"),
        bid_placed: "Since",
        nothing: "Your money will show here.",
        nothing_more: "Open your cash account at the custodian and top it up; then lend a first small amount.",
    },
    portfolio: PortfolioPage {
        behind: |since, days| {
            format!(
                "What was due on {since} and after has not been paid, for {days} days. What comes in is shared out at once."
            )
        },
        as_planned: "As agreed, if everybody pays on the day; what is overdue already is not in it.",
        due_since: |date| format!("due since {date}"),
        next: "Next payment",
        bids: |n| format!("{n}\u{a0}bids"),
        pictures: "Your portfolio in pictures",
        by_rate: "Still out, by yearly rate",
        come_back: "What will have come back",
        calendar: "Day by day",
        title: "Portfolio",
        which: "Which loans",
        running: "Outstanding",
        late: "Overdue",
        over: "Ended",
        none: "No loan of yours is in this state.",
        lent: "Lent",
        still_out: "Still out",
        since: "Since",
        days_late: |days| if days == 1 { "1 day overdue".into() } else { format!("{days} days overdue") },
        history: "Payments",
        on: "On",
        no_history: "Nothing has come back yet.",
        arriving: "on its way",
    },
    bid: BidPanel {
        sure: "Lend this?",
        keep: "Keep it",
        waits_for_you: "Waits for you",
        title: "Lend a part of it",
        free: |amount| format!("{amount} available"),
        not_enough: |amount| format!("You have {amount} available: bring money in first, or lend less."),
        between: |least, rest| format!("At least {least}; {rest} are still sought."),
        brings: |interest, monthly, months| {
            format!(
                "Brings {interest} of interest: {months} payments of about {monthly}, if every one is paid on the day."
            )
        },
        means: "The custodian freezes the amount in your own cash account. Until the listing is full you may take it back; once it is paid out it returns month by month, and you may lose it.",
        lend: "Lend",
        frozen: |amount| format!("The custodian has frozen {amount} of your money for this loan."),
        waits: |amount| {
            format!(
                "{amount} are set aside. The custodian has not confirmed yet; your overview shows when it has."
            )
        },
        confirm: |amount| {
            format!(
                "{amount} are set aside. Confirm the order on the custodian's page; without your word nothing moves."
            )
        },
        to_custodian: "To the custodian's page",
        refused: |amount| format!("The custodian has not frozen {amount}. Nothing has left your account."),
        yours: "Your bids here",
        see_portfolio: "How your part goes on stands in your portfolio",
        take_back: "Take it back",
        take_back_means: "The custodian frees it at once.",
    },
    busy: "Sending …",
    back: "Back",
    next: "Next",
    staff_only: "This page is for the staff.",
    staff_only_why: "If you work here, an administrator can invite you, and a second one must agree. In a new installation that begins once both first links have been used.",
    order_status: |status| match status {
        OrderStatus::Drafted => "Being sent",
        OrderStatus::AwaitingUser => "Waits for you",
        OrderStatus::Accepted => "At the custodian",
        OrderStatus::Unknown => "Being asked after",
        OrderStatus::Settled => "Done",
        OrderStatus::Partial => "Partly done",
        OrderStatus::Failed => "Refused",
        OrderStatus::Cancelled => "Refused by you",
        OrderStatus::Expired => "Expired",
    },
    entry_kind: |kind, out| match kind {
        EntryKind::TopUp => "Brought in",
        EntryKind::Withdrawal => "Taken out",
        EntryKind::WithdrawalReturned => "Came back from your bank",
        EntryKind::Bid => "Bid",
        EntryKind::Disbursement if out => "Lent",
        EntryKind::Disbursement => "Loan paid to you",
        EntryKind::DisbursementUnblocked => "Loan money set free (it was here already)",
        EntryKind::DisbursementReversed => "Loan taken back",
        EntryKind::Repayment if out => "Paid back",
        EntryKind::Repayment => "Repayment",
        EntryKind::Fee => "Fee",
        EntryKind::OwnFunds => "The platform's own money",
        EntryKind::Shortfall => "Shortfall",
        EntryKind::ShortfallSettled => "Shortfall settled",
    },
    application_status: |status| match status {
        ApplicationStatus::Submitted => "Sent",
        ApplicationStatus::InReview => "Being checked",
        ApplicationStatus::Approved => "Approved",
        ApplicationStatus::Declined => "Declined",
        ApplicationStatus::Withdrawn => "Withdrawn",
    },
    task_kind: |kind| match kind {
        TaskKind::CreditDecision => "Credit decision",
        TaskKind::Disbursement => "Disbursement",
        TaskKind::DisbursementUndo => "Undo a disbursement",
        TaskKind::Break => "Difference",
    },
    task_status: |status| match status {
        TaskStatus::Open => "Open",
        TaskStatus::Claimed => "Claimed",
        TaskStatus::Proposed => "Waits for a second person",
        TaskStatus::Approved => "Approved",
        TaskStatus::Refused => "Refused",
    },
    close_step: |step| match step {
        CloseStep::Drain => "Wait for what is under way",
        CloseStep::Repayments => "Collect what is due",
        CloseStep::Listings => "End listings that have run out",
        CloseStep::Anchor => "Anchor the ledger at the custodian",
        CloseStep::Proof => "Prove both books",
        CloseStep::CustodianDate => "Begin the custodian's next day",
        CloseStep::BusinessDate => "Begin the next day",
    },
    close_status: |status| match status {
        CloseStatus::Running => "Running",
        CloseStatus::Halted => "Waits for people",
        CloseStatus::Done => "Done",
    },
    verdict: |verdict| match verdict {
        Verdict::Matched => "Matched",
        Verdict::InFlight => "In flight",
        Verdict::Broken => "Broken",
    },
    orders: OrdersPanel {
        title: "Orders to the custodian",
        what: "Order",
        placed: "Placed",
        short: "Orders",
        lead: "Everything the custodian was asked to do, with its last word. What is under way is asked after until there is one; nothing is sent twice.",
        which: "Which orders",
        under_way: "Under way",
        whose: "Whose",
        none: "No such order",
        of_all: "Show everybody's orders",
        operations_only: "Operations and auditors see what the custodian was asked to do.",
        decide: "Confirm or refuse there",
        waits_for_user: "Waits for the user",
        refused_by_user: "Refused by the user",
        freeze_bid: "Freeze for a bid",
        freeze_payment: "Freeze for a payment",
        operation: |operation| {
            match operation {
                "open_account" => "Open the cash account",
                "grant_authorization" => "Allow orders",
                "top_up" => "Bring money in",
                "withdraw" => "Take money out",
                "freeze" => "Freeze for a bid or a payment",
                "unfreeze" => "Give frozen money back",
                "create_project" => "Register the listing",
                "disburse" => "Pay the loan out",
                "unblock" => "Release the loan's money",
                "repay" => "Pay the lenders",
                "fee" => "Take the fee",
                "reverse_line" => "Give a part back",
                other => other,
            }
            .into()
        },
    },
    cash: CashPage {
        errand: "Your account is open. You had begun to ask for a loan.",
        refused: "You refused it at the custodian. Nothing was moved.",
        confirmed: "You confirmed it at the custodian. It shows here as soon as the custodian has done it.",
        fresh: "Your cash account is open, in your own name. Bring money in below. It moves on your word alone: each time, or within limits that you allow.",
        to_loan: "Ask for a loan",
        awaited: |what, sum| {
            format!("{what} {sum}: it waits for your word at the custodian; until then nothing moves.")
        },
        all_of_it: |sum| format!("All of it: {sum}"),
        at_most: |sum| format!("You can take out at most {sum}."),
        open_begun: "You have begun; the custodian waits for you on its own page.",
        title: "Your cash account",
        short: "Cash",
        in_ledger: "In our ledger",
        virtual_account: "virtual account",
        at: |custodian| format!("At {custodian}, the custodian"),
        own_account: "your own cash account",
        nobody_else: "Nobody at the platform can move it.",
        held: "Being paid over",
        matches: "the two halves match",
        on_its_way: |amount| format!("{amount} on its way between them"),
        open_title: "Open your cash account",
        open_why: "Your money lies in an account of your own at an independent custodian, never with us. You choose a payment password there; we never see it.",
        name: "Your name",
        name_hint: "As on your identity document.",
        name_missing: "Enter your name as on your identity document.",
        open: "Continue at the custodian",
        ways: "Bring money in or take it out",
        bring_in: "Bring money in",
        take_out: "Take money out",
        in_hint: "From your bank account into your cash account.",
        out_hint: "From your cash account to your bank account.",
        by_custodian: "You confirm it on the custodian's own page with your payment password.",
    },
    consents: ConsentsPanel {
        title: "What you allow the custodian",
        lead: "Without a standing consent you confirm each order on the custodian's page. With one, orders of its kind within its limits go through by themselves; those that wait already are still confirmed there.",
        none: "You allow nothing yet: each order asks you first.",
        what: "What",
        scope: |scope| match scope {
            ConsentScope::Bid => "Freeze for bids",
            ConsentScope::Repay => "Repay on due dates",
            ConsentScope::Fee => "Take the agreed fee",
        },
        per_order_hint: "For example 500.",
        total_hint: "All orders together, until the last day.",
        per_order: "At most for one order",
        used: "Used",
        total: "At most in all",
        total_below: "In all at least as much as for one order.",
        until_ahead: "A day from tomorrow on.",
        see_account: "See your account on the custodian's page",
        account: |number| format!("account number {number}"),
        revoke: "See and revoke it on the custodian's page",
        allow: "Allow more, or with other limits",
        allow_first: "Allow something",
        ask: "Continue at the custodian",
    },
    statement: StatementPage {
        several: |n| format!("{n} movements"),
        title: "Statement",
        lead: "Each movement in our ledger has its counterfoil at the custodian. What is only set aside has not moved yet; of a repayment it is said how much is interest. Value dates are the platform's business days.",
        save: "Save as CSV",
        columns: [
            "Value date",
            "What",
            "Currency",
            "Ledger",
            "Balance after",
            "Custodian's number",
            "Custodian",
            "Interest",
            "Principal",
            "Loan",
            "Entry",
        ],
        from: "From",
        to: "To",
        of_it_interest: |sum| format!("of it {sum} interest"),
        none_such: "Nothing like that has moved.",
        none: "Nothing has moved yet.",
        on: "Value date",
        what: "What",
        ledger: "Ledger",
        custodian: "Custodian",
        after: "Then you had",
        number: "Custodian's no.",
        agrees: "Whether both agree",
        yes: "both agree",
        no: "on its way",
    },
    loans: LoansPage {
        a_month: |sum| format!("about {sum} a month"),
        begun: |at| format!("You began an application. What you typed was kept on {at}."),
        go_on: "Go on",
        allow: "Allow the fee and the instalments",
        allowed: "The custodian may take the fee and the instalments.",
        allow_means: |fee, pays| {
            format!(
                "When the loan is paid out, the platform's fee of {fee} is taken from it once, and then each month at most {pays}. Allow the custodian to do so; without it the fee stays open and you confirm each instalment by hand."
            )
        },
        title: "My loans",
        none: "You have no loan here.",
        none_lead: "Ask for one: it takes three steps, and nothing is owed before the money is in your account.",
        borrowed: "Borrowed",
        owed: "Still owed",
        months: |n| format!("{n} months"),
        sent: "Sent",
        checked: "Checked by two people",
        declined_note: "Two people looked at it. You may ask again when your figures have changed.",
        withdrawn_note: "You took it back.",
        checked_note: "usually within two working days",
        funded: "Funded by lenders",
        until: |date| format!("until {date}"),
        paid_out: "Paid into your cash account",
        paid_out_note: "two people approve it",
        as_lenders_see: "As lenders see it",
        withdraw: "Withdraw the application",
        withdraw_means: "It ends here. You can ask again at any time.",
        take_back: "Take it off the market",
        take_back_means: "If the rate or anything else does not suit you, end it here while it is not full. What lenders have set aside goes back to them, and nobody owes anything. You can ask again at any time.",
    },
    audit_log: "Audit log",
    day: DayPage {
        sure: |day| {
            format!(
                "{day} ends for everybody: what is due the day after is collected, and it cannot be opened again."
            )
        },
        still_on_the_way: |n| format!("{n} orders were still on their way"),
        in_flight: |n, since| format!("{n} on the way, the oldest since {since}"),
        broken: |verdict, what| format!("{verdict}. In the report: {what}"),
        audit_broken: "The audit log has been changed",
        begun: |date| format!("{date} has begun"),
        day_run: |begun, overdue| {
            format!(
                "Asked for {begun} instalments; {overdue} loans became overdue. Who had too little money waits until there is enough; after the due date their loan is overdue."
            )
        },
        worker: |worker| match worker {
            Worker::Custody => "custody",
            Worker::Lending => "lending",
            Worker::Investing => "investing",
            Worker::Office => "office",
            Worker::Notification => "notification",
        },
        as_written: "As it was written down",
        a_person: "Waits for a person",
        tried: |n| match n {
            0 => "Goes on by itself".into(),
            1 => "Tried once; goes on by itself".into(),
            n => format!("Tried {n} times; goes on by itself"),
        },
        since: "Since",
        title: "Business day",
        today: |date| format!("It is {date}."),
        close_of: |date| format!("Close of {date}"),
        close: "Close this day",
        see_overdue: "Loans that are overdue",
        see_orders: "Orders to the custodian",
        close_named: |date| format!("Close this day: {date}"),
        close_means: "Proves both books and anchors the ledger; then the next day begins, listings whose time is over end, and what is due is collected. It goes on by itself if the server is restarted.",
        operations_close: "Operations close the day.",
        not_yours: "The proof and what failed are seen by operations, auditors and administrators.",
        proof: "Proof of both books",
        prove: "Prove again",
        at_custodian: "At the custodian, by its signed statement",
        differs: "the two halves differ",
        owners: "Owners compared",
        entries: "Ledger entries",
        movements: "Cash movements",
        chain: "Chain",
        parked: "What failed and waits",
        none_parked: "Nothing waits.",
        what_failed: "What",
        why: "Why",
        attempts: "State",
    },
    register: RegisterPage {
        invitation_dead: "This link was used, has run out or is not ours. Ask the administrator who invited you for a new one.",
        title: "Register",
        invited: "Join the staff",
        steps: ["Who you are", "How you sign in", "Your cash account"],
        want: "I want to",
        lend: "lend",
        borrow: "borrow",
        both: "lend and borrow",
        country: "Country of your identity document",
        country_form: "Choose the country that issued it.",
        number: "Its number",
        number_hint: "We do not keep it: only a mark from which it cannot be read, so that nobody is two people here.",
        number_form: "At least four letters or digits, as they stand on the document.",
        agrees: "By registering you agree to what stands under",
        email_missing: "Enter a whole e-mail address, as in name@example.org.",
        password_hint: "At least 10 characters. This is not the payment password: you choose that one at the custodian.",
        password_short: |n| format!("At least {n} characters."),
        send: "Register",
        then: "Next you open your own cash account at the custodian, where you choose a payment password that we never see.",
        staff_then: "The link works once.",
        sign_in_now: |email| {
            format!(
                "Please look into the mailbox of {email}: we have sent a letter there. If this address has an account already, nothing about it has changed; sign in with its password, or choose a new one."
            )
        },
        new_here: "New here?",
    },
    account: AccountPage {
        used: |at| format!("last active {at}"),
        fixed: "Your name and address are those you registered with. To change them, or to close your account, write to the platform; nothing here does it yet.",
        mail_language: |language| {
            format!(
                "E-mails to you are written in {language}: the language you choose at the top while signed in."
            )
        },
        title: "Your account",
        roles: "Roles",
        sessions: "Where you are signed in",
        everywhere: "Sign out everywhere",
        here: "here",
        since: |at| format!("since {at}"),
        password: "Password",
        current: "Current password",
        new: "New password",
        password_means: "At least 10 characters. Every other session ends.",
        change: "Change the password",
        changed: "The password has been changed.",
    },
    factor: FactorPanel {
        title: "Second factor",
        why: "With a second factor, whoever learns your password still cannot sign in: a code from an app on your phone is asked for too.",
        on: "on",
        left: |n| match n {
            0 => "No recovery code is left: make new ones, or a lost phone locks you out.".into(),
            1 => "1 recovery code is left.".into(),
            n => format!("{n} recovery codes are left."),
        },
        set_up: "Set up",
        needs: "You need an authenticator app on your phone, for example Aegis, Google Authenticator or 1Password.",
        scan: "Scan this with your authenticator.",
        picture: "QR code for your authenticator",
        open_here: "Open it on this device",
        or_type: "Or type this key into it:",
        code: "Code",
        shown: "The six digits that your authenticator shows now.",
        code_hint: "The six digits that your authenticator shows, or one of your recovery codes.",
        confirm: "Turn it on",
        is_on: "From now on a code is asked for when you sign in.",
        keep: "Keep these recovery codes where your phone is not. Each signs you in once if the phone is lost. They are shown only now.",
        save: "Save as a file",
        kept: "I have kept them",
        renew: "New recovery codes",
        renew_means: "The codes you have will no longer work.",
        remove: "Turn it off",
        remove_means: "From then on the password alone signs you in.",
    },
};

pub(super) static TASK: TaskPage = TaskPage {
    sure: "Let the money move?",
    sure_yes: "Yes, approve",
    sure_not: "Refuse it?",
    refusal_means: |kind| match kind {
        TaskKind::CreditDecision => {
            "One refusal ends it: the application is declined, and the borrower is told."
        }
        TaskKind::Disbursement => {
            "One refusal ends it: the loan does not come about, and each lender's frozen part is given back."
        }
        TaskKind::DisbursementUndo => {
            "One refusal ends it: nothing is given back, and the payout goes on being tried."
        }
        TaskKind::Break => "The difference stays unexplained, and the account stays blocked.",
    },
    moves: |kind| match kind {
        TaskKind::Disbursement => {
            "Yours is the second word. The custodian then pays each lender's frozen part to the borrower's own account, and the loan begins. No single person can undo it."
        }
        _ => {
            "Yours is the second word. The custodian then gives each lender their part back, and the loan does not come about. No single person can undo it."
        }
    },
    say_word: "To the decision",
    on_market: "Approved: see it on the marketplace.",
    fee_forbidden: "The borrower has not allowed the fee. Paid out now, the custodian will refuse to take it until they do.",
    none: "There is no such task, or it is not for your role.",
    opened: |age| format!("open for {age}"),
    words: "What was said",
    nobody_yet: "Nobody has decided yet. It takes two people.",
    approved: "Approved",
    refused: "Refused",
    not_yours: |kind| match kind {
        TaskKind::CreditDecision => "Credit officers and supervisors decide this; you can see it.",
        _ => "Two people of operations decide this; you can see it.",
    },
    spoke: "You have approved it. A second person must decide.",
    means: |kind| match kind {
        TaskKind::CreditDecision => {
            "When two people approve, the loan is offered to lenders. One refusal ends it."
        }
        TaskKind::Disbursement => {
            "When two people approve, the custodian pays it from each lender's account to the borrower's. One refusal gives everything back."
        }
        TaskKind::DisbursementUndo => {
            "When two people approve, everything goes back to the lenders. A refusal lets it go on being tried."
        }
        TaskKind::Break => "When two people say that it has been explained, the account is free again.",
    },
    application: "The application",
    claim_means: "Shows your colleagues that you are at work on it:",
    reason_kept: "Kept with the decision. A refusal needs one.",
    approved_then: |kind| match kind {
        TaskKind::CreditDecision => "Decided: the loan is on the marketplace.",
        TaskKind::Disbursement => {
            "Decided: the custodian pays the loan out; the mark beside says how far it is."
        }
        TaskKind::DisbursementUndo => "Decided: the custodian is giving everything back.",
        TaskKind::Break => "Decided: the difference is settled, and the account is free again.",
    },
    refused_then: "Decided: it was refused.",
    to_queue: "What waits next",
    reason: "Your reason",
    reason_hint: "The second person reads it. A refusal needs one.",
    reason_missing: "Say why: a refusal needs a reason.",
    approve: "Approve",
    refuse: "Refuse",
    owes: "Owes a month already",
    years: "Years in present work",
    burden: "Share of monthly income, other debts included",
    lacking: "Before you decide:",
    no_income: "No income is given, so what the loan takes of it cannot be said.",
    no_documents: "No document has been added.",
    no_cash_account: "The borrower has no cash account yet; without one the loan cannot be offered.",
    at_most: |sum| format!("at most {sum}"),
    sent: |at| format!("Sent on {at}"),
    set_rate: "Set the rate",
    set_rate_means: "Two people then decide on the application at this rate; it cannot be changed afterwards.",
    rate_set: "The rate has been set; the decision is in the queue.",
    officers_rate: "A credit officer sets the rate; you can see the application.",
    rate_between: |low, high| format!("Between {low} and {high}\u{a0}%."),
    then_pays: |amount| format!("The borrower would pay about {amount} a month."),
};

pub(super) static APPLY: ApplyPage = ApplyPage {
    lends_only_means: "You registered it without borrowing. To ask for a loan, register once more with another address and choose to borrow: the same person may have both.",
    lends_only: "This account does not borrow",
    sure: "Is this what you ask for?",
    left_out: "left out",
    lenders_see: "Lenders see the amount, the months, the purpose and your story, and not your name or what you earn.",
    at_rate: |rate| format!("at {rate} a year"),
    which_product: "Product",
    will_be_kept: "What you type is kept as a draft.",
    keeping: "Keeping what you typed…",
    kept: "Your draft is kept. You can go on later, here or on another device.",
    change: "Change something",
    start_over_means: "All that you have typed is thrown away, on every device.",
    kept_here: "Your draft could not be kept; it stays in this tab.",
    start_over: "Start over",
    title: "Ask for a loan",
    account_first: "A loan is paid to your own cash account at the custodian. Open it first; it takes a minute.",
    steps: ["How much", "What for", "About you"],
    product: |currency| format!("Personal loan in {currency}"),
    between: |low, high| format!("Between {low} and {high}."),
    months_between: |low, high| format!("Whole months from {low} to {high}."),
    purpose_missing: "Say in a few words what the loan is for.",
    purpose_hint: "In a few words; everybody sees it.",
    story: "Your story",
    story_hint: "What would make you lend to yourself? Everybody sees it; leave out names and addresses.",
    income: "Income a year",
    owes: "What you owe a month already",
    years: "Years in your present work",
    years_form: "Whole years, up to 60.",
    may_be_left_out: "May be left out; only the staff see it.",
    means: "Two people check your application. Nothing is owed before money has reached your cash account.",
    send: "Send the application",
    cost: "What it would cost",
    cost_later: "Enter an amount and a term to see the cost.",
    monthly_from: "A month, at least",
    monthly_to: "A month, at most",
    interest_to: "Interest in all, at most",
    fee: "Fee, once",
    then: |days| {
        format!(
            "An officer sets the rate. Then lenders have {days} days to fund it; you may take it back until it is full, and what is not filled costs nothing."
        )
    },
};

pub(super) static PROGRAMS: ProgramsPanel = ProgramsPanel {
    title: "Programs",
    why: "Let a program read your account by the API: a spreadsheet, your tax adviser's software, a dashboard of your own. No program can move money or change anything.",
    add: "Add a program",
    reads_only: "It reads what you choose here, and changes nothing.",
    name: "Its name",
    name_means: "By which you will know it again.",
    name_missing: "Give it a name by which you will know it again.",
    may_read: "It may read",
    scope: |s| match s {
        ApiScope::Profile => "your name and address",
        ApiScope::Accounts => "balances, statement and orders",
        ApiScope::Investments => "what you lend: bids, notes, portfolio",
        ApiScope::Borrowing => "what you borrow: applications and loans",
        ApiScope::Notices => "your notices",
        ApiScope::Other => "something else",
    },
    scopes_missing: "Choose what it may read.",
    password_missing: "Please give your password: a program is a way into your account.",
    made: "The program may read for you. Its secret is shown only now: put it where the program finds it.",
    kept: "I have kept it",
    used: |at| format!("last used {at}"),
    unused: "not used yet",
    revoke: "Revoke",
    revoke_means: |name| {
        format!(
            "From then on “{name}” reads nothing more, at once. It cannot be undone; you can add it anew, with another secret."
        )
    },
};

pub(super) static DOCUMENTS: DocumentsPanel = DocumentsPanel {
    saved: |name| format!("“{name}” is in your downloads."),
    title: "Documents",
    none: "No documents were added.",
    none_yet: "A payslip or a bank statement often speeds up the decision.",
    add: "Add documents",
    sending: |name| format!("Sending {name}…"),
    remove: "Remove",
    means: "PDF, PNG or JPEG, at most 5 MB each and 10 in all. Only the people who decide on your application see them; lenders do not.",
};

pub(super) static AUDIT: AuditPage = AuditPage {
    yes: "yes",
    no: "no",
    title: "What staff did",
    lead: "Each act of the staff is written here before it is done, and what came of it after. Entries are chained to one another; at each close of business the custodian keeps the last one's hash.",
    search: "Search by act or id",
    none: "Nobody of the staff has done anything yet",
    auditors_only: "This page is for auditors and administrators.",
    whole: |entries, anchored| match anchored {
        Some(anchored) => format!(
            "The log is whole: {entries} entries (each act and what came of it), and the custodian keeps the hash of number {anchored}."
        ),
        None => {
            format!(
                "The log is whole: {entries} entries (each act and what came of it). The custodian keeps its hash from the next close of business on."
            )
        }
    },
    broken: "The log has been tampered with:",
    what: "Act",
    who: "Who",
    about: "About",
    outcome: "Outcome",
    when: "When",
    done: "done",
    unknown: "not known",
    act: |name| match name {
        "applicationProposeRate" => "Set a rate".into(),
        "taskClaim" => "Claimed or gave back a task".into(),
        "taskDecide" => "Decided on a task".into(),
        "listingCancel" => "Cancelled a listing".into(),
        "businessDayClose" => "Closed the business day".into(),
        "parkedRetry" => "Had parked work tried again".into(),
        "changePropose" => "Proposed a change of rights".into(),
        "changeDecide" => "Decided a change of rights".into(),
        "documentOpen" => "Opened a borrower's document".into(),
        "passwordChange" => "Changed their password".into(),
        "secondFactorBegin" => "Began to set up a second factor".into(),
        "secondFactorConfirm" => "Turned on a second factor".into(),
        "secondFactorRemove" => "Turned off a second factor".into(),
        "recoveryCodesRenew" => "Made new recovery codes".into(),
        "sessionClose" => "Signed out".into(),
        "languageChoose" => "Chose a language".into(),
        "noticesRead" => "Read notices".into(),
        "noticeMail" => "Chose whether mail comes".into(),
        other => other.to_string(),
    },
    detail: |name| match name {
        "task" => "task".into(),
        "application" => "application".into(),
        "listing" => "listing".into(),
        "approve" => "approved".into(),
        "release" => "gave back".into(),
        "rate" => "rate".into(),
        "inviteStaff" => "invitation as".into(),
        "resetCredentials" => "new credentials for".into(),
        other => other.to_string(),
    },
};

pub(super) static QUEUE: QueuePage = QueuePage {
    for_months: |n| format!("{n} months"),
    glance: "How things stand",
    overdue_loans: "Overdue loans",
    orders_open: "Orders under way",
    parked: "Failed and tried again",
    waiting: |n| match n {
        0 => "No open tasks".into(),
        1 => "1 open task".into(),
        n => format!("{n} open tasks"),
    },
    for_you: |n| format!("{n} for you"),
    unrated: "Applications without a rate",
    which: "Which tasks",
    free: "Unclaimed",
    mine: "Mine",
    second: "Second person",
    empty: "Nothing here",
    by_itself: "New tasks appear by themselves.",
    task: "Task",
    about: "About",
    age: "Waiting for",
    with: "With",
    claim: "Claim",
    release: "Give back",
    you: "you",
};

pub(super) static FIND: FindPage = FindPage {
    nobody: "There is nobody behind this link.",
    applications: "Applications",
    loans: "Loans",
    orders: "Their orders to the custodian",
    none_borrowed: "No such loan of theirs.",
    of_one: "Below: what they asked for and borrowed. What somebody has lent and has at the custodian is theirs to see.",
    of_all: "Show everybody's loans",
    what: "A name, an address or a purpose",
    nothing: "Nobody and nothing fits",
    nothing_more: "People are found by a part of their name or address, listings by a part of their purpose.",
    since: "Here since",
    listings: "Listings",
    which: "Which loans",
    running: "On time",
    overdue: "Overdue",
    awaiting: "Being paid out",
    closed: "Repaid",
    no_loans: "No such loan",
    borrower: "Borrower",
};

pub(super) static PEOPLE: PeoplePage = PeoplePage {
    hand_over_link: "Hand this link to the person it is for. It works once.",
    yours: "You proposed it; another administrator decides.",
    found: "Found",
    staff: "Staff",
    search: "Anybody, by name or address",
    name: "Name",
    propose: "Propose a change",
    change: "Change",
    give: |role| format!("Give the role: {role}"),
    take: |role| format!("Take away the role: {role}"),
    admins_only: "Administrators invite people and change roles.",
    invite: "Invite somebody",
    invite_means: "Another administrator must agree; then a link is made that works once.",
    role: "Role",
    reason_hint: "Who, and why; the second administrator reads it.",
    reason_missing: "Say who it is, and why.",
    sent: "It waits for another administrator.",
    waiting: "Waits for a second administrator",
    none: "Nothing waits.",
    hand_over_password: "Hand this password to the person it is for; they are to change it at the first sign-in.",
    kind: |kind| match kind {
        ChangeKind::GrantRole => "Give a role",
        ChangeKind::RevokeRole => "Take a role away",
        ChangeKind::InviteStaff => "Invite",
        ChangeKind::ResetCredentials => "Reset a password",
    },
};

pub(super) static LOAN: LoanPage = LoanPage {
    paid: "paid",
    being_paid: |amount| format!("{amount} are being paid."),
    until_closed: "The business day decides, not the clock.",
    missing: |amount| format!("{amount} are missing in your account."),
    off_by_hand: "You confirm it with your payment password at the custodian.",
    payments: "What you have paid",
    on: "On",
    paid_off: "paid off",
    replaced_on: |on| format!("Paid off on {on}"),
    fee_untaken: |fee| {
        format!(
            "The custodian has not taken the platform's fee of {fee}: you do not allow it, or the money was not there. The loan itself is not touched by that."
        )
    },
    see_consents: "See what you allow",
    still_owed: "What you owe by the plan",
    none: "There is no such loan of yours",
    paid_back: "All of it is paid back.",
    being_paid_out: "It is being paid out.",
    due_now: |amount| format!("{amount} are due now."),
    next: |amount, on| format!("Next: {amount} on {on}."),
    started: "Since",
    pay: "Pay",
    on_its_way: |amount| format!("{amount} are on their way to the lenders."),
    to_confirm: |amount| {
        format!("{amount} are set aside. Confirm the payment at the custodian; until then nothing moves.")
    },
    short: "There is not enough in your account.",
    past_due: "Overdue",
    due_today: "Due today",
    payments_made: "What was paid",
    still_owed_by_plan: "What is owed by the plan",
    pays_due: "It is due. The money goes to those who lent to you, each their part.",
    pays_ahead: |due| {
        format!(
            "It is due on {due} and would be taken then. Paid today it costs the same: only paying all of it off saves interest."
        )
    },
    pay_sum: |amount| format!("Pay {amount}"),
    by_consent: "Where you have given a standing consent, each instalment is paid by itself on its day.",
    off: "Pay all of it off",
    off_lead: "The figure is exact to the cent and holds for one day. Interest stops the day you pay.",
    ask_quote: "Show what it takes today",
    holds: |on| format!("Holds on {on} only."),
    left: |time| format!("{time} left"),
    off_sum: |amount| format!("Pay {amount} and end the loan"),
    plan: "What is due when",
    paid_on: |on| format!("Paid on {on}"),
    instalment: |status| match status {
        InstalmentStatus::Scheduled => "To come",
        InstalmentStatus::Paid => "Paid",
        InstalmentStatus::Replaced => "Paid off before",
    },
};
