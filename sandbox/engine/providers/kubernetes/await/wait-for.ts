import type { Json } from "../../types";
import { parseJsonPath, scalarText } from "../jsonpath";
import {
    Annotation,
    annotation,
    generationOf,
    integer,
    type KubeObject,
    maps,
    text,
} from "../objects";
import { ObjectReadiness } from "./readiness";

interface Expectation {
    text: string;
    holds(object: KubeObject): boolean;
}

/** The rule of the annotation `pulumi.com/waitFor`: one expression, or a JSON array of them. */
export class WaitForReadiness extends ObjectReadiness {
    private readonly expectations: Expectation[];

    constructor(created: KubeObject) {
        super(created);
        this.expectations = parseWaitFor(annotation(created, Annotation.waitFor));
    }

    ready(): boolean {
        return !this.deleted && this.missing().length === 0;
    }

    private missing(): Expectation[] {
        return this.expectations.filter((expectation) => !expectation.holds(this.object));
    }

    progress(): string {
        return `Waiting for ${this.missing()
            .map((expectation) => expectation.text)
            .join(", ")}`;
    }

    override reasons(): string[] {
        return this.missing().map((expectation) => `${expectation.text} was not met`);
    }
}

/** @throws if an expression is not understood; `check` calls it so that nothing is created then */
export function parseWaitFor(value: string): Expectation[] {
    const expressions = asList(value);
    if (expressions.length === 0) throw new Error("at least one condition must be specified");
    return expressions.map((expression) => {
        if (expression.startsWith("jsonpath=")) return jsonPath(expression);
        if (expression.startsWith("condition=")) return condition(expression);
        throw new Error(`expected a "jsonpath=" or "condition=" prefix, got "${expression}"`);
    });
}

function asList(value: string): string[] {
    try {
        const list = JSON.parse(value) as Json;
        if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
    } catch {
        // One expression.
    }
    return [value];
}

/** `condition=Ready` or `condition=Ready=False`. */
function condition(expression: string): Expectation {
    const [type = "", status = "True"] = expression.slice("condition=".length).split("=");
    return {
        text: expression,
        holds(object) {
            const found = maps(object, "status", "conditions").find(
                (entry) => text(entry, "type").toLowerCase() === type.toLowerCase(),
            );
            if (found === undefined) return false;
            const observed =
                integer(found, "observedGeneration") ??
                integer(object, "status", "observedGeneration");
            if (observed !== undefined && observed < generationOf(object)) return false;
            return text(found, "status").toLowerCase() === status.toLowerCase();
        },
    };
}

/** `jsonpath={.status.phase}=Running`, or without a value: the path must exist. */
function jsonPath(expression: string): Expectation {
    const match = /^jsonpath=\{\s*(.*?)\s*\}(?:=(.*))?$/.exec(expression);
    if (match === null) {
        throw new Error(
            `format should be jsonpath={.path}=value or jsonpath={.path}, got "${expression}"`,
        );
    }
    const [, path = "", wanted] = match;
    if (wanted === "") throw new Error(`${expression} requires a value after "="`);
    const select = parseJsonPath(path);
    return {
        text: expression,
        holds(object) {
            const observed = integer(object, "status", "observedGeneration");
            if (observed !== undefined && observed < generationOf(object)) return false;
            const [found] = select(object);
            if (found === undefined) return false;
            return wanted === undefined || scalarText(found) === wanted;
        },
    };
}
