import { show, type Violation } from "../validation/violation";
import { ADMIN_USER, API_USER, DATABASE } from "./defaults";
import { checkHost } from "./host";
import { checkNames } from "./names";
import { bytesOf } from "./quantity";

/**
 * The stack config's `database`, as far as rules look at it: a server of the stack's own, or with
 * `host` one that exists.
 */
export interface CheckedDatabase {
    database?: string;
    apiUser?: string;
    host?: string;
    port?: number;
    password?: string;
    passwordSecret?: { name: string; key?: string };
    urlAsEnv?: boolean;
    image?: string;
    user?: string;
    storage?: string;
    storageClassName?: string;
    passwordVersion?: string;
    resources?: unknown;
    imagePullSecrets?: unknown;
}

export interface DatabaseContext {
    namespace?: string;
    isolation?: string;
    /** Whether the config value is encrypted: `pulumi.runtime.isConfigSecret("cutover:database")`. */
    encrypted: boolean;
}

/** What only a server of our own has. */
const OWN = [
    "image",
    "user",
    "storage",
    "storageClassName",
    "passwordVersion",
    "resources",
    "imagePullSecrets",
] as const;

/** What only an external one has. */
const EXTERNAL = ["port", "password", "passwordSecret"] as const;

/** Every violation in `database`; paths begin with `database.`. */
export function databaseRules(input: CheckedDatabase, context: DatabaseContext): Violation[] {
    const own = input.host === undefined;
    const found = [
        ...(own ? ownRules(input) : externalRules(input, context)),
        ...urlRules(input, context),
    ];
    return found.map((violation) => ({ ...violation, path: `database.${violation.path}` }));
}

function ownRules(input: CheckedDatabase): Violation[] {
    const names = {
        database: input.database ?? DATABASE,
        user: input.user ?? ADMIN_USER,
        apiUser: input.apiUser ?? API_USER,
    };
    const external = EXTERNAL.filter((path) => input[path] !== undefined).map((path) => ({
        path,
        got: "a value",
        expected: "none without database.host: it is for an external server",
    }));
    return [...checkNames(names), ...checkStorage(input.storage), ...external];
}

/** The size of a volume, as Kubernetes writes it. */
export function checkStorage(storage: string | undefined): Violation[] {
    if (storage === undefined || bytesOf(storage) !== undefined) return [];
    return [{ path: "storage", got: show(storage), expected: `a size greater than 0 like "10Gi"` }];
}

function externalRules(input: CheckedDatabase, context: DatabaseContext): Violation[] {
    const own = OWN.filter((path) => input[path] !== undefined).map((path) => ({
        path,
        got: "a value",
        expected: "none with database.host: it is for a server of the stack's own",
    }));
    return [
        ...checkExternal(input, context.namespace),
        ...(input.password !== undefined && !context.encrypted ? [PLAIN_PASSWORD] : []),
        ...own,
    ];
}

const PLAIN_PASSWORD: Violation = {
    path: "password",
    got: "a value in plain text",
    expected:
        "an encrypted one: pulumi config set --secret --path cutover:database.password, " +
        "and another password, as this one has been written down",
};

/** What is wrong with how an external server is reached, whoever says it. */
export function checkExternal(
    input: Pick<CheckedDatabase, "host" | "port" | "database" | "apiUser" | "passwordSecret"> & {
        password?: unknown;
    },
    namespace?: string,
): Violation[] {
    const { host = "", port, password, passwordSecret } = input;
    return [
        ...checkHost(host, namespace),
        ...(port === undefined || (Number.isInteger(port) && port >= 1 && port <= 65535)
            ? []
            : [{ path: "port", got: show(port), expected: "a whole number from 1 to 65535" }]),
        ...(["database", "apiUser"] as const)
            .filter((path) => input[path] === "")
            .map((path) => ({ path, got: `""`, expected: "a name" })),
        ...credentials(password, passwordSecret),
    ];
}

function credentials(
    password: unknown,
    passwordSecret: { name: string; key?: string } | undefined,
): Violation[] {
    if (password !== undefined && passwordSecret !== undefined) {
        const expected = "none beside database.password: one of the two says the password";
        return [{ path: "passwordSecret", got: "a value", expected }];
    }
    if (password === "") {
        return [{ path: "password", got: "an empty text", expected: "the API's password" }];
    }
    if (passwordSecret !== undefined) return secretNames(passwordSecret);
    if (password !== undefined) return [];
    const expected =
        "the API's password, encrypted, or in its place database.passwordSecret, a Secret that exists";
    return [{ path: "password", got: undefined, expected }];
}

function secretNames({ name, key }: { name: string; key?: string }): Violation[] {
    const found: Violation[] = [];
    if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name)) {
        const expected = "the name of a Secret in the stack's namespace";
        found.push({ path: "passwordSecret.name", got: show(name), expected });
    }
    if (key !== undefined && !/^[-._a-zA-Z0-9]{1,253}$/.test(key)) {
        found.push({
            path: "passwordSecret.key",
            got: show(key),
            expected: "a key of that Secret",
        });
    }
    return found;
}

function urlRules({ urlAsEnv }: CheckedDatabase, { isolation }: DatabaseContext): Violation[] {
    if (urlAsEnv !== true || isolation === "namespaces" || isolation === undefined) return [];
    const expected = 'false without isolation "namespaces": only there is the URL kept in a Secret';
    return [{ path: "urlAsEnv", got: "true", expected }];
}
