import * as assert from "node:assert/strict";
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, type TestNamespace } from "./namespace";

const HOST = process.env.CUTOVER_E2E_HOST ?? "127.0.0.1";
const TIMEOUT_MS = 5_000;

interface Answer {
    status: number;
    text: string;
}

/** One request on a connection of its own: a kept-alive one may lead to a pod that is draining. */
export function request(port: number, path: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
        const options = { host: HOST, port, path, agent: false, timeout: TIMEOUT_MS };
        const sent = get(options, (response) => {
            let text = "";
            response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
            response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
            response.on("error", reject);
        });
        sent.on("timeout", () => sent.destroy(new Error(`no answer from ${path} on ${port}`)));
        sent.on("error", reject);
    });
}

/** What is missing until the API is ready; undefined when it is. */
export async function unready(port: number): Promise<string | undefined> {
    const answer = await request(port, "/ready").catch(String);
    if (typeof answer === "string") return answer;
    return answer.status === 200 ? undefined : answer.text;
}

/** The hits on `/hello/x`, of all pods on this database, as the API at a port reads them. */
export async function hits(port: number): Promise<number> {
    const { status, text } = await request(port, "/stats");
    assert.equal(status, 200);
    const { endpoints, stale } = JSON.parse(text) as {
        endpoints: Record<string, number>;
        stale: boolean;
    };
    assert.equal(stale, false, "it has read its database");
    const counted = Object.entries(endpoints).find(([path]) => path.includes("hello"));
    return counted?.[1] ?? 0;
}

/** Both APIs are ready, and what the one counts is what the other reads: it is one database. */
export async function expectOneDatabase(first: number, second: number): Promise<void> {
    for (const port of [first, second]) {
        await eventually(`the API on ${port} is ready`, 30, () => unready(port));
    }
    for (const [from, to] of [
        [first, second],
        [second, first],
    ] as const) {
        // A pod that is ending counts in the database that it had, and may get a last request or two.
        await eventually("a hit arrives in the other API's database", 30, async () => {
            const before = await hits(to);
            assert.equal((await request(from, "/hello/there")).status, 200);
            return arrival(to, before);
        });
    }
}

/** What is missing until the API at a port reads one hit more than `before`, within 5 s. */
async function arrival(port: number, before: number): Promise<string | undefined> {
    let now = before;
    for (let tries = 0; tries < 20; tries++) {
        now = await hits(port);
        if (now === before + 1) return undefined;
        await sleep(250);
    }
    return `${before} hits, then ${now}`;
}

/** Name of the API's newest pod. */
export async function apiPod(namespace: TestNamespace): Promise<string> {
    const { items } = await namespace.core.listNamespacedPod({
        namespace: namespace.name,
        labelSelector: "app=api",
    });
    const running = items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
    return running.at(-1)?.metadata?.name ?? "";
}

/** Fails unless a pod of the namespace gets a connection to the database's port on host `db`. */
export async function expectConnection(namespace: TestNamespace): Promise<void> {
    const script =
        "require('net').connect(5432,'db').setTimeout(3000,()=>process.exit(2))" +
        ".on('connect',()=>process.exit(0)).on('error',(e)=>{console.error(e.message);process.exit(1)})";
    const pod = await apiPod(namespace);
    const { code, stderr } = await namespace.exec(pod, ["node", "-e", script]);
    assert.equal(code, 0, `from ${pod} in ${namespace.name}: ${stderr}`);
}
