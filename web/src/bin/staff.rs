//! What staff load: everything below `/staff/`.

fn main() {
    counterfoil_web::start(counterfoil_web::staff, counterfoil_web::waiting);
}
