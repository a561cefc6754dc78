diesel::table! {
    customers (id) {
        id -> Int8,
        email -> Text,
        nickname -> Nullable<Text>,
    }
}
