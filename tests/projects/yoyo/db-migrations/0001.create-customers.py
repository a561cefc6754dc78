from yoyo import step

steps = [
    step(
        "CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL)",
        "DROP TABLE customers",
    )
]
