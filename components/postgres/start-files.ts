import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { RUN_AS_USER } from "./defaults";
import type { DatabaseNames } from "./names";

/** The files that the pod starts with, by name. None of them holds a secret. */
export function startFiles(names: DatabaseNames): Record<string, string> {
    return {
        "start.sh": readFile("start.sh"),
        "reconcile.sql": readFile("reconcile.sql"),
        "pg_hba.conf": renderHba(names),
        "pg_ident.conf": renderIdent(names),
        passwd: renderPasswd(),
    };
}

/** A short name for a content, eight hexadecimal digits; the order of the files does not matter. */
export function contentHash(files: Record<string, string>): string {
    const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
    return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 8);
}

/**
 * Who may connect, and how; whatever is not listed is refused. `peer` asks the kernel which user a
 * local process runs as, so it needs no password and, unlike `trust`, lets no other user in.
 */
function renderHba({ database, user, apiUser }: DatabaseNames): string {
    return [
        "# TYPE  DATABASE  USER  ADDRESS  METHOD",
        `local   all  "${user}"  peer map=server`,
        `host    all  "${user}"  all  scram-sha-256`,
        `host    "${database}"  "${apiUser}"  all  scram-sha-256`,
        "",
    ].join("\n");
}

/** The server's own user may be the admin role. */
function renderIdent({ user }: DatabaseNames): string {
    return `# MAP  SYSTEM-USER  ROLE\nserver  postgres  "${user}"\n`;
}

/** A name for the pod's user: initdb and `peer` look it up, and each image knows other numbers. */
function renderPasswd(): string {
    return [
        "root:x:0:0:root:/root:/usr/sbin/nologin",
        `postgres:x:${RUN_AS_USER}:${RUN_AS_USER}:PostgreSQL:/var/lib/postgresql:/usr/sbin/nologin`,
        "",
    ].join("\n");
}

function readFile(name: string): string {
    return readFileSync(path.join(__dirname, "files", name), "utf8");
}
