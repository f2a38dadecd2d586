import { show, type Violation } from "../validation/violation";

/** The names that the database is set up with. */
export interface DatabaseNames {
    /** The database of the API. */
    database: string;
    /** The superuser. */
    user: string;
    /** The API's role. */
    apiUser: string;
}

/** PostgreSQL cuts longer identifiers off. */
const IDENTIFIER_CHARACTERS = 63;

/** What needs no quotes anywhere: in SQL, in pg_hba.conf, in a URL. */
const IDENTIFIER = /^[a-z_][a-z0-9_]*$/;

/** The databases that initdb makes, and the names that no role can have. */
const RESERVED_DATABASES = ["postgres", "template0", "template1"];
const RESERVED_ROLES = /^(pg_.*|public|none)$/;

/** What is wrong with the names, in the order in which they are documented. */
export function checkNames(names: DatabaseNames): Violation[] {
    const violations = (["database", "user", "apiUser"] as const).flatMap((path): Violation[] => {
        const name = names[path];
        const got = show(name);
        if (!IDENTIFIER.test(name) || name.length > IDENTIFIER_CHARACTERS) {
            const expected =
                `at most ${IDENTIFIER_CHARACTERS} lower-case letters, digits and "_", ` +
                `not starting with a digit`;
            return [{ path, got, expected }];
        }
        const reserved =
            path === "database" ? RESERVED_DATABASES.includes(name) : RESERVED_ROLES.test(name);
        return reserved ? [{ path, got, expected: "a name that PostgreSQL does not reserve" }] : [];
    });
    if (names.user === names.apiUser) {
        const expected = "another role than `user`, which is a superuser";
        violations.push({ path: "apiUser", got: show(names.apiUser), expected });
    }
    return violations;
}
