import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../sandbox/images/lock";
import { identify } from "../../sandbox/machine/process";

describe("the lock between processes", () => {
    let folder: string;
    let file: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "lock-"));
        file = path.join(folder, "below", "lock");
    });
    afterEach(() => fs.rmSync(folder, { recursive: true }));

    it("lets one piece of work run at a time", async () => {
        let running = 0;
        let most = 0;
        const work = async () => {
            most = Math.max(most, ++running);
            await sleep(20);
            running -= 1;
        };
        await Promise.all([1, 2, 3].map(() => withLock(file, work)));
        assert.equal(most, 1);
        assert.deepEqual(fs.readdirSync(path.dirname(file)), []);
    });

    it("is released when the work fails, and the failure goes on up", async () => {
        const work = () => Promise.reject(new Error("no disk"));
        await assert.rejects(withLock(file, work), /no disk/);
        assert.equal(await withLock(file, () => Promise.resolve("done")), "done");
    });

    it("waits for another process, saying for which, and not for ever", async () => {
        const other = spawn("sleep", ["30"]);
        try {
            hold(identify(other.pid ?? 0));
            const said: string[] = [];
            const options = { say: (line: string) => said.push(line), deadlineMs: 300 };
            const message = new RegExp(`^process ${other.pid} still holds .*lock; end it`);
            await assert.rejects(
                withLock(file, () => Promise.resolve(), options),
                { message },
            );
            assert.equal(said[0], `waiting for process ${other.pid}`);
        } finally {
            other.kill();
        }
    });

    it("is taken over from a process that has ended", async () => {
        const other = spawn("sleep", ["30"]);
        hold(identify(other.pid ?? 0));
        other.kill();
        await once(other, "exit");
        assert.equal(
            await withLock(file, () => Promise.resolve("mine"), { deadlineMs: 2000 }),
            "mine",
        );
    });

    it("is taken over from a number that another process has now", async () => {
        hold({ ...identify(process.pid), started: "1" });
        assert.equal(
            await withLock(file, () => Promise.resolve("mine"), { deadlineMs: 2000 }),
            "mine",
        );
    });

    it("stops waiting when it is told to", async () => {
        hold(identify(process.pid));
        const signal = AbortSignal.timeout(50);
        await assert.rejects(
            withLock(file, () => Promise.resolve(), { signal }),
            { name: "AbortError" },
        );
    });

    function hold(holder: object | undefined): void {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, JSON.stringify(holder));
    }
});
