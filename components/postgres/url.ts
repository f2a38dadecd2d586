/** What a connection to the database needs. */
export interface ConnectionParts {
    user: string;
    password: string;
    host: string;
    /** 1 to 65535. */
    port: number;
    database: string;
}

/** `postgresql://user:password@host:port/database`, each part percent-encoded, an IPv6 host in `[]`. */
export function databaseUrl({ user, password, host, port, database }: ConnectionParts): string {
    const encode = encodeURIComponent;
    const where = host.includes(":") ? `[${host}]` : encode(host);
    return `postgresql://${encode(user)}:${encode(password)}@${where}:${port}/${encode(database)}`;
}
