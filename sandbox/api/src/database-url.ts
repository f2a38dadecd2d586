/** What a connection is made with. */
export interface DatabaseLogin {
    host: string;
    port: number;
    name: string;
    user: string;
    password: string;
}

/**
 * The parts of `postgresql://user:password@host:port/database`, each percent-decoded; the port may be
 * left out.
 *
 * @throws Error that says what is expected, and never what was there
 */
export function parseDatabaseUrl(text: string): DatabaseLogin {
    try {
        const url = new URL(text);
        const login = {
            host: decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, "$1"),
            port: Number(url.port === "" ? 5432 : url.port),
            name: decodeURIComponent(url.pathname.slice(1)),
            user: decodeURIComponent(url.username),
            password: decodeURIComponent(url.password),
        };
        const { port, ...words } = login;
        const complete = port > 0 && Object.values(words).every((word) => word !== "");
        if (/^postgres(ql)?:$/.test(url.protocol) && complete) return login;
    } catch {
        // What URL and decodeURIComponent throw repeats the text.
    }
    throw new Error("expected postgresql://user:password@host:port/database");
}
