use leptos::prelude::*;
use leptos_meta::Title;

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
            <p class="muted">"The marketplace, the calculator and sign-in are not part of this build yet."</p>
        </section>
    }
}
