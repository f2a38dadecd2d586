import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { renderNginx, type Backend, type RouterSettings } from "../../components/router";
import { rendered, sides } from "./router/cases";

/** With `GOLDEN_UPDATE=1` the files are written instead of compared; read what changed. */
const UPDATE = process.env.GOLDEN_UPDATE === "1";

/** A block of the config, from its first line to its closing brace. */
function block(config: string, start: string): string[] {
    const lines = config.split("\n").map((line) => line.trim());
    const from = lines.findIndex((line) => line.startsWith(start));
    assert.notEqual(from, -1, `no ${start} in ${config}`);
    return lines.slice(from + 1, lines.indexOf("}", from));
}

const splitOf = (backends: Backend[], settings?: RouterSettings) =>
    block(renderNginx(backends, settings), "split_clients");

describe("the router's config", () => {
    for (const [name, { backends, settings }] of Object.entries(rendered)) {
        it(`is written out for: ${name.replaceAll("-", " ")}`, () => {
            const file = path.join(__dirname, "router", `${name}.conf`);
            const config = renderNginx(backends, settings);
            if (UPDATE) writeFileSync(file, config);
            assert.equal(config, readFileSync(file, "utf8"));
        });
    }

    describe("the split", () => {
        it("gives the canary its share to a tenth of a percent, and stable the rest", () => {
            assert.deepEqual(splitOf(sides(0.1)), ["0.1% canary;", "* stable;"]);
            assert.deepEqual(splitOf(sides(10)), ["10% canary;", "* stable;"]);
            assert.deepEqual(splitOf(sides(99.9)), ["99.9% canary;", "* stable;"]);
        });

        it("leaves out a side without a share: nginx refuses 0 %", () => {
            for (const [weight, left, out] of [
                [0, "stable", "canary"],
                [100, "canary", "stable"],
            ] as const) {
                const config = renderNginx(sides(weight));
                assert.deepEqual(splitOf(sides(weight)), [`* ${left};`]);
                assert.doesNotMatch(config, new RegExp(`upstream split_${out}`));
                assert.doesNotMatch(config, /weight=| 0%/);
            }
        });

        it("does not depend on the order of the sides, nor on one without a share", () => {
            const [stable, canary] = sides(10) as [Backend, Backend];
            assert.equal(renderNginx([canary, stable]), renderNginx([stable, canary]));
            const [all, none] = sides(0) as [Backend, Backend];
            assert.equal(renderNginx([all, { ...none, release: "9.9.9" }]), renderNginx([all]));
        });

        it("is by chance without a sticky key, and for whom has none", () => {
            assert.match(renderNginx(sides(10)), /split_clients "\$cohort_key"/);
            assert.deepEqual(block(renderNginx(sides(10)), "map $request_id $cohort_key"), [
                '"" $request_id;',
                "default $request_id;",
            ]);
            const config = renderNginx(sides(10), { sticky: { header: "X-User-Id" } });
            assert.deepEqual(block(config, "map $http_x_user_id $cohort_key"), [
                '"" $request_id;',
                "default $http_x_user_id;",
            ]);
        });

        it("sums to 100 % at every weight", () => {
            fc.assert(
                fc.property(fc.integer({ min: 1, max: 999 }), (tenths) => {
                    const [first = "", last] = splitOf(sides(tenths / 10));
                    assert.equal(first, `${tenths / 10}% canary;`);
                    assert.match(first, /^\d{1,2}(\.\d)?% canary;$/);
                    assert.equal(last, "* stable;");
                }),
            );
        });
    });

    describe("a side that does not answer", () => {
        const upstream = (name: string, settings?: RouterSettings) =>
            block(renderNginx(sides(10), settings), `upstream ${name} `).slice(0, 2);
        const stable = "server user-service-stable.shop.svc:80 max_fails=0";
        const canary = "server user-service-canary.shop.svc:80 max_fails=0";

        it("is replaced by stable if it is the canary, and never by the canary", () => {
            assert.deepEqual(upstream("split_canary"), [`${canary};`, `${stable} backup;`]);
            assert.deepEqual(upstream("split_stable"), [`${stable};`, `${stable} backup;`]);
        });

        it("shows in a preview", () => {
            const settings = { previewHeader: "X-Preview" };
            assert.deepEqual(upstream("only_canary", settings), [
                `${canary};`,
                `${canary} backup;`,
            ]);
        });

        it("is asked again only for requests that may be repeated", () => {
            assert.doesNotMatch(renderNginx(sides(10)), /non_idempotent/);
            assert.match(renderNginx(sides(10)), /proxy_next_upstream error timeout/);
        });
    });

    it("leads nobody anywhere by a header unless asked to", () => {
        assert.doesNotMatch(renderNginx(sides(10)), /\$preview|only_/);
        const config = renderNginx(sides(0), { previewHeader: "X-Preview" });
        assert.deepEqual(block(config, "map $http_x_preview $preview"), [
            "canary canary;",
            "stable stable;",
            'default "";',
        ]);
    });

    it("passes on who asked for what", () => {
        const config = renderNginx(sides(10));
        for (const header of ["Host $host", "X-Real-IP $remote_addr"]) {
            assert.match(config, new RegExp(`proxy_set_header ${header.replaceAll("$", "\\$")};`));
        }
    });

    it("is nothing that a user of no rights could not run", () => {
        const config = renderNginx(sides(10));
        const ports = [...config.matchAll(/listen (\d+)/g)].map(([, port]) => Number(port));
        assert.ok(ports.length > 0 && ports.every((port) => port >= 1024));
        assert.doesNotMatch(config, /^user /m);
        assert.match(config, /server_tokens off;/);
        const written = [...config.matchAll(/(?:_temp_path|pid) (\S+);/g)].map(([, file]) => file);
        assert.deepEqual(
            written.filter((file) => !file?.startsWith("/tmp/")),
            [],
        );
    });
});
