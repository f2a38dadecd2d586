import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Deployment } from "@pulumi/pulumi/automation";
import * as ts from "typescript";
import { flatten } from "../../scripts/bench/flat";
import { MEASURE_NAMES, parseOptions } from "../../scripts/bench/options";
import { isBroken, renderRows, row } from "../../scripts/bench/rows";
import { interleaved, median } from "../../scripts/bench/samples";

const PREFIX = "urn:pulumi:dev::cutover::";
const STACK = `${PREFIX}pulumi:pulumi:Stack::cutover-dev`;
const COMPONENT = `${PREFIX}cutover:index:BlueGreen::api`;
const DATABASE = `${PREFIX}cutover:index:Postgres::postgres`;
const SERVER = `${PREFIX}cutover:index:Postgres$kubernetes:apps/v1:StatefulSet::server`;
const PROVIDER = `${PREFIX}pulumi:providers:kubernetes::default_4_34_2`;
const nested = (type: string, name: string) => `${PREFIX}cutover:index:BlueGreen$${type}::${name}`;
const PASSWORD = nested("random:index/randomPassword:RandomPassword", "password");
const SECRET = nested("kubernetes:core/v1:Secret", "secret");
const POLICY = nested("kubernetes:networking.k8s.io/v1:NetworkPolicy", "policy");

/** A state as a program with one component leaves it. */
function exported(): Deployment {
    const secret = {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        plaintext: '"hunter\\"2"',
    };
    const resource = (urn: string, inputs: object, more: object = {}) => ({
        urn,
        type: urn.split("::")[2]?.split("$").at(-1),
        custom: true,
        id: urn,
        inputs,
        outputs: inputs,
        parent: COMPONENT,
        provider: `${PROVIDER}::id`,
        ...more,
    });
    const resources = [
        { urn: STACK, type: "pulumi:pulumi:Stack", custom: false, outputs: { url: "u" } },
        resource(`${PREFIX}pulumi:pulumi:StackReference::previous`, {}, { parent: STACK }),
        { urn: PROVIDER, type: "pulumi:providers:kubernetes", custom: true, id: "id" },
        { urn: DATABASE, type: "cutover:index:Postgres", custom: false, parent: STACK },
        resource(SERVER, {}, { parent: DATABASE }),
        {
            urn: COMPONENT,
            type: "cutover:index:BlueGreen",
            custom: false,
            parent: STACK,
            dependencies: [DATABASE],
        },
        resource(PASSWORD, { length: 20, __defaults: ["upper"] }),
        resource(SECRET, { stringData: { password: secret } }, { dependencies: [PASSWORD] }),
        resource(
            POLICY,
            { metadata: { name: "policy", labels: { "a.b/c": "d" } }, spec: { ports: [1, null] } },
            {
                dependencies: [SECRET, COMPONENT],
                ignoreChanges: ["spec.ports"],
                resourceHooks: { BeforeUpdate: ["gate"] },
            },
        ),
    ];
    return { version: 3, deployment: { manifest: {}, resources } };
}

describe("bench: the same resources in one flat program", () => {
    const flat = flatten(exported());
    const state = flat.state as unknown as {
        deployment: { resources: Record<string, unknown>[] };
    };
    const found = (urn: string) => state.deployment.resources.find((one) => one.urn === urn);

    it("has no component, and each resource below the stack", () => {
        assert.deepEqual(
            state.deployment.resources.map(({ urn }) => urn),
            [
                STACK,
                PROVIDER,
                `${PREFIX}kubernetes:apps/v1:StatefulSet::server`,
                `${PREFIX}random:index/randomPassword:RandomPassword::password`,
                `${PREFIX}kubernetes:core/v1:Secret::secret`,
                `${PREFIX}kubernetes:networking.k8s.io/v1:NetworkPolicy::policy`,
            ],
        );
        const policy = found(`${PREFIX}kubernetes:networking.k8s.io/v1:NetworkPolicy::policy`);
        assert.equal(policy?.parent, STACK);
        assert.deepEqual(
            policy?.dependencies,
            [
                `${PREFIX}kubernetes:core/v1:Secret::secret`,
                `${PREFIX}kubernetes:apps/v1:StatefulSet::server`,
            ],
            "what the component waits for holds it back too",
        );
        assert.equal(policy?.resourceHooks, undefined);
        assert.equal(policy?.id, POLICY, "it is the same object");
        assert.deepEqual(found(STACK)?.outputs, {});
    });

    it("imports each class from its own module, and declares it with literals in their order", () => {
        const lines = flat.program.trim().split("\n");
        assert.deepEqual(lines, [
            'import * as pulumi from "@pulumi/pulumi";',
            'import { StatefulSet as Class0 } from "@pulumi/kubernetes/apps/v1/statefulSet";',
            'import { RandomPassword as Class1 } from "@pulumi/random/randomPassword";',
            'import { Secret as Class2 } from "@pulumi/kubernetes/core/v1/secret";',
            'import { NetworkPolicy as Class3 } from "@pulumi/kubernetes/networking/v1/networkPolicy";',
            'const resource0 = new Class0("server", {  }, { dependsOn: [] });',
            'const resource1 = new Class1("password", { "length": 20 }, { dependsOn: [resource0] });',
            'const resource2 = new Class2("secret", { "stringData": { "password": ' +
                'pulumi.secret("hunter\\"2") } }, { dependsOn: [resource1, resource0] });',
            'const resource3 = new Class3("policy", { "metadata": { "name": "policy", "labels": ' +
                '{ "a.b/c": "d" } }, "spec": { "ports": [1, null] } }, ' +
                '{ dependsOn: [resource2, resource0], ignoreChanges: ["spec.ports"] });',
        ]);
        for (const module of flat.program.match(/@pulumi\/[^"]+/g) ?? []) require.resolve(module);
    });

    it("is a program that compiles", () => {
        const folder = mkdtempSync(path.join(tmpdir(), "cutover-bench-"));
        try {
            const file = path.join(folder, "flat.ts");
            writeFileSync(file, flat.program);
            const program = ts.createProgram([file], { noResolve: true, noLib: true });
            assert.deepEqual(program.getSyntacticDiagnostics(), []);
        } finally {
            rmSync(folder, { recursive: true });
        }
    });

    it("refuses a state in which only components keep two resources apart", () => {
        const twice = exported();
        const { resources } = (twice as unknown as { deployment: { resources: object[] } })
            .deployment;
        const other = `${PREFIX}other:index:Thing$kubernetes:core/v1:Secret::secret`;
        resources.push({ urn: other, type: "kubernetes:core/v1:Secret", custom: true });
        assert.throws(() => flatten(twice), /two resources have the same type and name/);
    });
});

describe("bench: figures", () => {
    it("takes the middle value as the median", () => {
        assert.equal(median([3, 1, 2]), 2);
        assert.equal(median([4, 1, 3, 2]), 2.5);
        assert.throws(() => median([]), /no median/);
    });

    it("runs the works in turn, to and fro, and does not count the first round", async () => {
        const order: string[] = [];
        const work = (name: string, figures: number[]) => async () => {
            order.push(name);
            return figures.shift() as number;
        };
        const found = await interleaved(3, work("a", [100, 1, 2, 9]), work("b", [100, 5, 5, 6]));
        assert.deepEqual(found, [2, 5]);
        assert.deepEqual(order, ["a", "b", "a", "b", "b", "a", "a", "b"]);
    });

    it("breaks a limit only above it, by the figure that is shown", () => {
        assert.equal(isBroken(row("switch", "ratio", 1.2004, 1.2)), false);
        assert.equal(isBroken(row("switch", "ratio", 1.2006, 1.2)), true);
        assert.equal(isBroken(row("switch", "ratio", NaN, 1.2)), true);
    });

    it("shows every row, and which one is too slow", () => {
        const text = renderRows([
            row("no-op up", "s", 1.25, 2.5),
            row("switch", "ratio", 1.3, 1.2),
        ]);
        assert.match(text, /no-op up\s.*1\.250\s.*2\.500\s.* s\s.*✓/);
        assert.match(text, /switch\s.*1\.300\s.*1\.200\s.*ratio\s.*✗ too slow/);
    });
});

describe("bench: options", () => {
    it("measures all with seven rounds unless told otherwise", () => {
        assert.deepEqual(parseOptions({}), {
            rounds: 7,
            only: MEASURE_NAMES,
            out: "out",
            json: false,
        });
        assert.deepEqual(parseOptions({ only: ["canary"], rounds: "3" }).only, ["canary"]);
    });

    it("refuses what it does not know, naming the flag", () => {
        assert.throws(() => parseOptions({ rounds: "0" }), /--rounds: expected .* got 0/);
        assert.throws(() => parseOptions({ rounds: "x" }), /--rounds: expected .* got x/);
        assert.throws(
            () => parseOptions({ only: ["canary", "speed"] }),
            /--only: expected blue-green, many-apis, canary, got speed/,
        );
    });
});
