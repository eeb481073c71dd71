//! Forms: what was typed and the command's id outlive a reload; what is wrong is said beside the field; a second click does
//! nothing more than the first.

use crate::api::{Failure, live};
use crate::draft::Draft;
use crate::locale::{number, plain};
use crate::messages::{Messages, say, sentence, t};
use finance::{Currency, Money};
use leptos::prelude::*;
use serde_json::{Map, Value};

/// A form in the making.
#[derive(Clone, Copy)]
pub struct Form {
    name: StoredValue<String>,
    draft: RwSignal<Draft>,
    /// What was sent last: the same contents again are the same command, whatever was typed in between.
    sent: StoredValue<Option<Draft>>,
    /// What stands there before anybody typed.
    defaults: StoredValue<Vec<(&'static str, String)>>,
    pub busy: RwSignal<bool>,
    pub error: RwSignal<Option<Failure>>,
    /// Whether it was sent once as it is: from then on what is missing is said too.
    pub tried: RwSignal<bool>,
}

fn fields(draft: &Draft) -> Map<String, Value> {
    serde_json::from_str(&draft.text).unwrap_or_default()
}

impl Form {
    /// As it was left in this tab, or empty.
    pub fn new(name: impl Into<String>) -> Form {
        let name = name.into();
        Form {
            draft: RwSignal::new(Draft::taken_up(&name)),
            name: StoredValue::new(name),
            sent: StoredValue::new(None),
            defaults: StoredValue::new(Vec::new()),
            busy: RwSignal::new(false),
            error: RwSignal::new(None),
            tried: RwSignal::new(false),
        }
    }

    /// What a field holds.
    pub fn get(self, field: &str) -> String {
        self.draft.with(|d| fields(d).get(field).and_then(Value::as_str).unwrap_or_default().to_string())
    }

    /// Whether nothing was typed into a field yet.
    pub fn is_empty(self, field: &str) -> bool {
        self.get(field).trim().is_empty()
    }

    /// Other contents are another command, once it was sent; before that nobody knows its id.
    pub fn set(self, field: &str, value: String) {
        if untrack(|| self.get(field)) == value {
            return;
        }
        let mut all = self.draft.with_untracked(fields);
        all.insert(field.into(), Value::from(value));
        let text = Value::from(all).to_string();
        let sent = self.sent.get_value().filter(|sent| sent.text == text);
        let now = self.draft.get_untracked();
        let unsent = if now.sent { Draft::new() } else { now };
        self.draft.set(sent.unwrap_or(Draft { text, ..unsent }));
        self.keep();
        self.error.set(None);
    }

    fn keep(self) {
        self.draft.with_untracked(|d| self.name.with_value(|n| d.keep(n)));
    }

    /// What stands there before anybody typed.
    pub fn or(self, field: &'static str, value: impl Into<String>) -> Form {
        let value = value.into();
        self.defaults.update_value(|d| d.push((field, value.clone())));
        if untrack(|| self.is_empty(field)) {
            self.set(field, value);
        }
        self
    }

    /// All that was typed, as text, with the command's id.
    pub fn whole(self) -> Draft {
        self.draft.get()
    }

    pub fn whole_untracked(self) -> Draft {
        self.draft.get_untracked()
    }

    /// Goes on with what was typed elsewhere.
    pub fn adopt(self, draft: Draft) {
        self.draft.set(draft);
        self.keep();
    }

    /// The command's id.
    pub fn id(self) -> String {
        self.draft.with_untracked(|d| d.id.clone())
    }

    /// It was accepted, or is given up.
    pub fn clear(self) {
        self.sent.set_value(None);
        let fresh: Map<String, Value> = self
            .defaults
            .with_value(|all| all.iter().map(|(f, v)| (f.to_string(), Value::from(v.clone()))).collect());
        self.draft.set(Draft { text: Value::from(fresh).to_string(), ..Draft::new() });
        self.name.with_value(|n| Draft::forget(n));
        self.tried.set(false);
    }

    /// Sends it, unless it is on its way already. What was typed stays until it has been accepted.
    pub fn send<T: 'static>(
        self,
        work: impl Future<Output = Result<T, Failure>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.error.set(None);
        // From here on it may have happened: a reload must find the same command.
        self.draft.update(|d| d.sent = true);
        self.sent.set_value(Some(self.draft.get_untracked()));
        self.keep();
        let name = self.name.get_value();
        leptos::task::spawn_local(async move {
            let outcome = work.await;
            if outcome.is_ok() {
                Draft::forget(&name);
            }
            // The page may be gone by now.
            if self.busy.try_set(false).is_some() {
                return;
            }
            match outcome {
                Ok(value) => {
                    self.clear();
                    done(value);
                }
                Err(failure) => self.error.set(Some(failure)),
            }
        });
    }
}

/// What a field says of what is in it: a hint, or what is wrong.
pub type Checked = Result<String, String>;

/// One line of a form. What is wrong shows once something was typed, or the form was sent.
#[component]
pub fn Field(
    form: Form,
    name: &'static str,
    #[prop(into)] label: Signal<String>,
    /// Of what was typed.
    #[prop(into)]
    check: Callback<String, Checked>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] complete: &'static str,
    /// Many lines.
    #[prop(optional)]
    long: bool,
) -> impl IntoView {
    let id = format!("{name}-hint");
    let now = Memo::new(move |_| check.run(form.get(name)));
    let wrong = Memo::new(move |_| now.get().is_err() && (form.tried.get() || !form.is_empty(name)));
    let words = move || match now.get() {
        Ok(hint) => hint,
        Err(why) if wrong.get() => why,
        Err(_) => String::new(),
    };
    let typed = move |e: leptos::ev::Event| form.set(name, event_target_value(&e));
    let input = if long {
        view! {
            <textarea name=name rows="4" readonly=form.busy prop:value=move || form.get(name) on:input=typed
                aria-invalid=move || wrong.get().to_string() aria-describedby=id.clone()></textarea>
        }
        .into_any()
    } else {
        let mode = if kind == "decimal" { "decimal" } else { "" };
        let kind = if kind == "decimal" { "text" } else { kind };
        view! {
            <input name=name type=kind inputmode=mode autocomplete=complete readonly=form.busy prop:value=move || form.get(name) on:input=typed
                aria-invalid=move || wrong.get().to_string() aria-describedby=id.clone()/>
        }
        .into_any()
    };
    view! {
        <label class="field">
            <span>{label}</span>
            {input}
            <span class="small" id=id class:error=wrong>{words}</span>
        </label>
    }
}

/// A password: it is kept nowhere but on the page.
#[component]
pub fn PasswordField(
    name: &'static str,
    value: RwSignal<String>,
    label: fn(&Messages) -> &'static str,
    complete: &'static str,
    #[prop(into)] hint: Signal<Checked>,
) -> impl IntoView {
    let (id, input) = (format!("{name}-hint"), format!("{name}-input"));
    let shown = RwSignal::new(false);
    view! {
        <div class="field">
            <label for=input.clone()>{t(label)}</label>
            <div class="secret">
                <input id=input name=name type=move || if shown.get() { "text" } else { "password" } autocomplete=complete
                    autocapitalize="off" spellcheck="false" required prop:value=value on:input=move |e| value.set(event_target_value(&e))
                    aria-invalid=move || hint.with(Result::is_err).to_string() aria-describedby=id.clone()/>
                <button type="button" class="reveal" aria-pressed=move || shown.get().to_string() aria-label=t(|m| m.entrance.show_password)
                    on:click=move |_| shown.update(|s| *s = !*s)>{move || if shown.get() { say().entrance.hide } else { say().entrance.show }}</button>
            </div>
            <span class="small" id=id class:error=move || hint.with(Result::is_err)>{move || hint.get().unwrap_or_else(|e| e)}</span>
        </div>
    }
}

/// A code that is good once: from an authenticator, or one of those kept for when it is lost.
#[component]
pub fn CodeField(
    value: RwSignal<String>,
    #[prop(into)] hint: Signal<String>,
    /// Where one goes on as soon as it is there.
    #[prop(optional)]
    first: bool,
) -> impl IntoView {
    let element = NodeRef::<leptos::html::Input>::new();
    if first {
        Effect::new(move |_| {
            if let Some(input) = element.get() {
                input.focus().ok();
            }
        });
    }
    view! {
        <label class="field">
            <span>{t(|m| m.factor.code)}</span>
            <input node_ref=element name="code" autocomplete="one-time-code" autocapitalize="off" spellcheck="false" maxlength="20"
                prop:value=value on:input=move |e| value.set(event_target_value(&e)) aria-describedby="code-hint"/>
            <span class="small" id="code-hint">{hint}</span>
        </label>
    }
}

/// One of a few.
#[component]
pub fn Choice(
    form: Form,
    name: &'static str,
    label: fn(&Messages) -> &'static str,
    /// Each by its value and its words.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    /// What to say when none is chosen; then it must be one.
    #[prop(optional)]
    missing: Option<fn(&Messages) -> &'static str>,
) -> impl IntoView {
    let wrong = move || missing.is_some() && form.tried.get() && form.is_empty(name);
    let id = format!("{name}-hint");
    view! {
        <label class="field">
            <span>{t(label)}</span>
            <select name=name on:change=move |e| form.set(name, event_target_value(&e)) prop:value=move || form.get(name)
                aria-invalid=move || wrong().to_string() aria-describedby=id.clone()>
                {missing.map(|_| view! { <option value="" selected=move || form.is_empty(name)>{t(|m| m.choose)}</option> })}
                {move || options.get().into_iter().map(|(value, words)| {
                    let own = value.clone();
                    view! { <option value=value selected=move || form.get(name) == own>{words}</option> }
                }).collect_view()}
            </select>
            <span class="small error" id=id>{move || missing.filter(|_| wrong()).map(|words| words(say()))}</span>
        </label>
    }
}

/// What went wrong with the whole, and the button.
#[component]
pub fn Submit(
    form: Form,
    #[prop(into)] words: Signal<String>,
    #[prop(optional)] risky: bool,
) -> impl IntoView {
    let class = if risky { "button risky" } else { "button primary" };
    // That nobody answered is no news once somebody does.
    let line = live::line();
    Effect::new(move |_| {
        let offline = form.error.with_untracked(|e| e.as_ref().is_some_and(|e| e.code == "OFFLINE"));
        if line.get() == live::Line::Live && offline {
            form.error.set(None);
        }
    });
    view! {
        {move || form.error.get().map(|e| view! { <p class="notice bad" role="alert">{sentence(&e)}</p> })}
        <button class=class type="submit" disabled=form.busy>
            {move || if form.busy.get() { say().busy.to_string() } else { words.get() }}
        </button>
    }
}

/// What a person typed, as money.
///
/// # Errors
/// What to type instead.
pub fn money(typed: &str, currency: Currency) -> Result<Money, String> {
    let example = Money::new(1_000 * 10i64.pow(currency.exponent()), currency);
    match Money::parse(&plain(typed), currency) {
        Ok(m) if m.is_positive() => Ok(m),
        Ok(_) => Err(say().reckon.above_zero.into()),
        Err(_) if currency.exponent() == 0 => {
            Err((say().reckon.no_decimals)(currency.code(), &number("100")))
        }
        Err(_) => Err((say().reckon.decimals)(currency.exponent(), &number(&example.to_decimal_string()))),
    }
}
