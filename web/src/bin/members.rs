//! What the public, investors and borrowers load.

fn main() {
    counterfoil_web::start(counterfoil_web::members);
}
