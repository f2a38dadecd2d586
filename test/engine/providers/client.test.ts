import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { ApiError, ConnectionError } from "../../../sandbox/engine/providers/kubernetes/api-error";
import { KubeClient, type WatchEvent } from "../../../sandbox/engine/providers/kubernetes/client";

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

describe("client of the API server", () => {
    let server: Server;
    let client: KubeClient;
    let answer: Answer;
    let calls: number;

    beforeEach(async () => {
        calls = 0;
        server = createServer((request, response) => {
            calls++;
            answer(request, response);
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as AddressInfo;
        client = new KubeClient({
            context: "test",
            server: `http://127.0.0.1:${port}`,
            namespace: "default",
            token: "t1",
            insecureSkipTlsVerify: false,
        });
    });
    afterEach(() => {
        client.close();
        server.closeAllConnections();
        server.close();
    });

    const json = (response: ServerResponse, code: number, body: object, headers = {}): void => {
        response.writeHead(code, { "content-type": "application/json", ...headers });
        response.end(JSON.stringify(body));
    };

    it("sends JSON with the user's token and reads JSON", async () => {
        let seen: unknown;
        answer = async (request, response) => {
            seen = [
                request.method,
                request.url,
                request.headers.authorization,
                await text(request),
            ];
            json(response, 201, { ok: true });
        };
        const query = { dryRun: "All", absent: undefined };
        const result = await client.request("POST", "/api/v1/x", { body: { a: "ü" }, query });
        assert.deepEqual(result, { ok: true });
        assert.deepEqual(seen, ["POST", "/api/v1/x?dryRun=All", "Bearer t1", '{"a":"ü"}']);
    });

    it("turns a Status into an error that can be decided upon", async () => {
        answer = (_request, response) =>
            json(response, 409, { kind: "Status", code: 409, reason: "Conflict", message: "no" });
        const error: unknown = await client.request("GET", "/x").catch((reason: unknown) => reason);
        assert.ok(ApiError.is(error, "Conflict"));
        assert.equal(error.message, "no");
        answer = (_request, response) => response.writeHead(502).end("bad gateway");
        await assert.rejects(client.request("GET", "/x"), {
            name: "ApiError",
            message: "bad gateway",
        });
    });

    it("comes back when an overloaded server says so", async () => {
        answer = (_request, response) =>
            calls < 3
                ? json(response, 429, {}, { "retry-after": "0" })
                : json(response, 200, { calls });
        assert.deepEqual(await client.request("GET", "/x"), { calls: 3 });
        answer = (_request, response) => json(response, 500, { code: 500, message: "broken" });
        await assert.rejects(client.request("GET", "/x"), /broken/);
        assert.equal(calls, 4, "an error without Retry-After is final");
    });

    it("tells which call got no answer, and gives up at its deadline", async () => {
        answer = (request) => request.socket.destroy();
        await assert.rejects(client.request("GET", "/x"), (error: Error) => {
            assert.ok(error instanceof ConnectionError);
            return /^GET "http:\/\/127\.0\.0\.1:\d+\/x": /.test(error.message);
        });
        answer = () => undefined;
        await assert.rejects(
            client.request("GET", "/x", { timeoutMs: 50 }),
            /no answer within 0\.05 s/,
        );
    });

    it("tries again on a kept-alive connection that the server has closed meanwhile", async () => {
        answer = (_request, response) => json(response, 200, { calls });
        await client.request("GET", "/x");
        let cut = false;
        answer = (request, response) => {
            if (cut) return json(response, 200, { calls });
            cut = true;
            request.socket.resetAndDestroy();
        };
        assert.deepEqual(await client.request("GET", "/x"), { calls: 3 });
    });

    it("aborts reads at once, and sees writes through", async () => {
        const abort = new AbortController();
        answer = (_request, response) => {
            setTimeout(() => json(response, 200, { done: true }), 100);
            setTimeout(() => abort.abort(), 20);
        };
        const write = client.request("PATCH", "/x", { body: {}, signal: abort.signal });
        assert.deepEqual(await write, { done: true });
        await assert.rejects(client.request("PATCH", "/x", { signal: abort.signal }), /cancelled/);
        assert.equal(calls, 1, "nothing is begun after the abort");

        const another = new AbortController();
        setTimeout(() => another.abort(), 20);
        answer = () => undefined;
        await assert.rejects(client.request("GET", "/x", { signal: another.signal }), /cancelled/);
    });

    it("reports watched events however the stream is cut into chunks", async () => {
        const line = (type: string, name: string): string =>
            `${JSON.stringify({ type, object: { metadata: { name } } })}\n`;
        answer = (_request, response) => {
            const stream = line("ADDED", "ä") + line("BOOKMARK", "x") + line("DELETED", "b");
            response.writeHead(200);
            const bytes = Buffer.from(stream);
            response.write(bytes.subarray(0, 40));
            setTimeout(() => response.end(bytes.subarray(40)), 10);
        };
        const events: string[] = [];
        let opened = 0;
        const onEvent = ({ type, object }: WatchEvent): void => {
            events.push(`${type} ${(object.metadata as { name: string }).name}`);
        };
        await client.watch("/x", {}, new AbortController().signal, () => opened++, onEvent);
        assert.deepEqual(events, ["ADDED ä", "DELETED b"]);
        assert.equal(opened, 1);
    });

    it("fails a watch that is refused or that reports an error", async () => {
        const watch = (): Promise<void> =>
            client.watch(
                "/x",
                {},
                new AbortController().signal,
                () => undefined,
                () => assert.fail("there is no event"),
            );
        answer = (_request, response) => json(response, 403, { code: 403, reason: "Forbidden" });
        await assert.rejects(watch(), { name: "ApiError", reason: "Forbidden" });
        answer = (_request, response) =>
            response.end(`${JSON.stringify({ type: "ERROR", object: { message: "expired" } })}\n`);
        await assert.rejects(watch(), /expired/);
    });
});
