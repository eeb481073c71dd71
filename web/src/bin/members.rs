//! What the public and investors load.

fn main() {
    counterfoil_web::start(counterfoil_web::members, counterfoil_web::nothing_waits);
}
