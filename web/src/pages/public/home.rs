use crate::page::Page;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;

#[component]
pub fn Home() -> impl IntoView {
    view! {
        <Title text="Counterfoil"/>
        <section class="stack">
            <h1>"Two halves that match"</h1>
            <p class="lead">
                "People lend to people. Every movement in our ledger has its counterfoil in your own cash account at an "
                "independent custodian, and the two sides are proved equal every day."
            </p>
            <p class="row">
                <A attr:class="button primary" href=Page::Marketplace.path()>"See what is open"</A>
                <A attr:class="button" href=Page::Calculator.path()>"Reckon a loan"</A>
            </p>
        </section>
        <section class="columns">
            <div class="card stack">
                <h2>"Your money stays yours"</h2>
                <p>"The platform has no account your money could lie in. It moves from your cash account to a borrower's and back, on orders you consented to at the custodian."</p>
            </div>
            <div class="card stack">
                <h2>"Nobody moves it alone"</h2>
                <p>"A loan is approved by two people and paid out by two people. No member of staff, the administrator included, can redirect a cent."</p>
            </div>
            <div class="card stack">
                <h2>"To the cent, and provable"</h2>
                <p>"Each repayment is split over all who lent, without a float anywhere; what rounding leaves over travels with your share until it makes a cent."</p>
            </div>
        </section>
    }
}
