import type { NodeAffinityArgs, NodeRequirementArgs, TolerationArgs } from "../args";
import { wrongLabels } from "./names";
import { wholeNumber, wholeNumberBetween } from "./numbers";
import { oneOf, show, type Violation } from "./violation";

/** How many values each operator compares with. */
const VALUES: Record<string, "some" | "none" | "one"> = {
    In: "some",
    NotIn: "some",
    Exists: "none",
    DoesNotExist: "none",
    Gt: "one",
    Lt: "one",
};
const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export interface CheckedNodes {
    nodeSelector?: Record<string, string>;
    nodeAffinity?: NodeAffinityArgs;
    tolerations?: TolerationArgs[];
}

/** What decides on which nodes the pods may run. */
export function nodeRules({
    nodeSelector,
    nodeAffinity = {},
    tolerations = [],
}: CheckedNodes): Violation[] {
    const path = "api.nodeAffinity";
    return [
        ...wrongLabels("api.nodeSelector", nodeSelector),
        ...requirements(`${path}.required`, nodeAffinity.required),
        ...(nodeAffinity.preferred ?? []).flatMap((preference, index) => [
            ...wholeNumberBetween(`${path}.preferred[${index}].weight`, preference.weight, 1, 100),
            ...requirements(`${path}.preferred[${index}].requirements`, preference.requirements),
        ]),
        ...tolerations.flatMap((found, index) => toleration(`api.tolerations[${index}]`, found)),
    ];
}

function requirements(path: string, all: NodeRequirementArgs[] | undefined): Violation[] {
    if (all === undefined) return [];
    if (all.length === 0) return [{ path, got: "[]", expected: "at least one condition" }];
    return all.flatMap(({ key, operator, values = [] }, index): Violation[] => {
        const at = `${path}[${index}]`;
        const wanted = VALUES[operator];
        if (wanted === undefined) {
            const expected = oneOf(Object.keys(VALUES));
            return [{ path: `${at}.operator`, got: show(operator), expected }];
        }
        const wrong = wrongLabels(at, { [key]: "" });
        const fits = {
            some: values.length > 0,
            none: values.length === 0,
            one: values.length === 1 && /^-?\d+$/.test(values[0] ?? ""),
        }[wanted];
        if (fits) return wrong;
        const expected = {
            some: `at least one value with operator ${operator}`,
            none: `no values with operator ${operator}`,
            one: `one whole number, as text, with operator ${operator}`,
        }[wanted];
        return [...wrong, { path: `${at}.values`, got: show(values), expected }];
    });
}

function toleration(path: string, found: TolerationArgs): Violation[] {
    const { key, operator = "Equal", value, effect, tolerationSeconds } = found;
    const violations: Violation[] = [];
    const expect = (property: string, got: unknown, expected: string) =>
        violations.push({
            path: `${path}.${property}`,
            got: got === undefined ? undefined : show(got),
            expected,
        });
    if (operator !== "Equal" && operator !== "Exists") {
        expect("operator", operator, oneOf(["Equal", "Exists"]));
    } else if (operator === "Equal" && key === undefined) {
        expect("key", key, `the key of a taint, or operator "Exists" for every taint`);
    } else if (operator === "Exists" && value !== undefined) {
        expect("value", value, `no value with operator "Exists"`);
    }
    if (effect !== undefined && !EFFECTS.includes(effect)) expect("effect", effect, oneOf(EFFECTS));
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
        expect("tolerationSeconds", tolerationSeconds, `none without effect "NoExecute"`);
    }
    return [...violations, ...wholeNumber(`${path}.tolerationSeconds`, tolerationSeconds, 0)];
}
