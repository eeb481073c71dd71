//! What borrowers load, and what one seldom needs, beside what they share with everybody.

fn main() {
    counterfoil_web::start(counterfoil_web::borrower, counterfoil_web::nothing_waits);
}
