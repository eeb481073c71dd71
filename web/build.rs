//! Makes the API's schema known to the queries, which are checked against it when the app is built.

fn main() {
    let schema = "../server/graphql/schema.graphql";
    println!("cargo:rerun-if-changed={schema}");
    cynic_codegen::register_schema("counterfoil")
        .from_sdl_file(schema)
        .expect("the schema in git can be read")
        .as_default()
        .expect("the schema is the only one");
}
