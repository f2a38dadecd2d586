import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { Isolation, Routing, Strategy } from "../../components/plan";
import { rules } from "../../components/validation/rules";
import { idOf, render, toYaml, type KubernetesObject } from "./render";
import { SET_UPS, type SetUp } from "./set-ups";

const OBJECTS = path.join(__dirname, "objects");
const UPDATE = process.env.GOLDEN_UPDATE === "1";

const fileOf = (name: string) => path.join(OBJECTS, `${name}.yaml`);

/** The text of a set-up's file: all objects, or what another set-up has otherwise. */
async function golden({ config, of }: SetUp, known: Map<string, KubernetesObject[]>) {
    const objects = await render(config);
    if (of === undefined) return { objects, text: toYaml(objects) };
    const base = new Map((known.get(of) ?? []).map((object) => [idOf(object), toYaml([object])]));
    const changed = objects.filter((object) => base.get(idOf(object)) !== toYaml([object]));
    const ids = new Set(objects.map(idOf));
    const gone = [...base.keys()].filter((id) => !ids.has(id));
    const lines = [
        `# What is otherwise than in ${of}.yaml.`,
        ...gone.map((id) => `# Not there: ${id}`),
    ];
    return { objects, text: `${lines.join("\n")}\n${toYaml(changed)}` };
}

describe("golden objects", () => {
    const known = new Map<string, KubernetesObject[]>();

    before(() => {
        if (!UPDATE) return;
        rmSync(OBJECTS, { recursive: true, force: true });
        mkdirSync(OBJECTS, { recursive: true });
    });

    for (const setUp of SET_UPS) {
        it(setUp.name, async () => {
            const { objects, text } = await golden(setUp, known);
            known.set(setUp.name, objects);
            const file = fileOf(setUp.name);
            if (UPDATE) writeFileSync(file, text);
            assert.ok(existsSync(file), `no ${file}; \`npm run golden:update\` writes it`);
            assert.equal(
                text,
                readFileSync(file, "utf8"),
                "the rendered objects are not the golden ones; where they are meant to be, `npm run golden:update`",
            );
        });
    }

    it("has a file for each set-up and no other", () => {
        const files = readdirSync(OBJECTS).sort();
        assert.deepEqual(files, SET_UPS.map(({ name }) => `${name}.yaml`).sort());
    });

    it("covers every row of strategy, routing and isolation that the rules let through", () => {
        const chosen = SET_UPS.map(({ config }) =>
            [
                config["cutover:strategy"] ?? Strategy.blueGreen,
                config["cutover:routing"] ?? Routing.service,
                config["cutover:isolation"] ?? Isolation.shared,
            ].join(", "),
        );
        for (const strategy of Object.values(Strategy)) {
            for (const routing of Object.values(Routing)) {
                for (const isolation of Object.values(Isolation)) {
                    const refused = rules({ strategy, routing, isolation }).some(({ path }) =>
                        ["strategy", "routing", "isolation"].includes(path),
                    );
                    const row = [strategy, routing, isolation].join(", ");
                    assert.equal(chosen.includes(row), !refused, row);
                }
            }
        }
    });

    it("shows no secret", () => {
        for (const { name } of SET_UPS) {
            const text = readFileSync(fileOf(name), "utf8");
            assert.doesNotMatch(text, /password-of|t0ken/, name);
        }
    });

    it("is what a YAML parser reads", () => {
        for (const { name } of SET_UPS) {
            for (const part of readFileSync(fileOf(name), "utf8").split(/^---$/m).slice(1)) {
                const { kind, metadata } = parse(part) as KubernetesObject;
                assert.ok(kind && metadata.name, name);
            }
        }
    });
});
