import { Color, Routing, SIDES, SIDES_OF, Strategy, type Side } from "../plan/types";
import { nearest } from "./nearest";
import type { Checked } from "./rules";
import { oneOf, show, type Violation } from "./violation";

const NEVER_ZERO = "the live side must never be at zero";

/** Which release runs where: each has to be declared, and what gets the traffic needs one. */
export function sideRules(input: Checked): Violation[] {
    return [...SIDES.flatMap((side) => declared(side, input)), ...liveRules(input)];
}

function declared(side: Side, input: Checked): Violation[] {
    const release = input[side];
    const names = Object.keys(input.releases ?? {});
    if (release === undefined || input.releases === undefined || names.includes(release)) return [];
    const close = nearest(release, names);
    const hint = close === undefined ? "" : `; did you mean ${show(close)}?`;
    const expected =
        names.length === 0
            ? "a release; none is declared in releases"
            : `one of the declared releases: ${oneOf(names)}${hint}`;
    return [{ path: side, got: show(release), expected }];
}

function liveRules(input: Checked): Violation[] {
    switch (input.strategy) {
        case Strategy.rolling:
            return needed("current", input);
        case Strategy.canary:
            return needed("stable", input);
        case Strategy.blueGreen:
            return activeColorRules(input);
        case undefined:
        default:
            return [];
    }
}

function needed(side: Side, input: Checked): Violation[] {
    if (input[side] !== undefined) return [];
    const expected = `the name of a release: strategy ${show(input.strategy)} sends its traffic there, and ${NEVER_ZERO}`;
    return [{ path: side, got: undefined, expected }];
}

function activeColorRules(input: Checked): Violation[] {
    const { activeColor } = input;
    const path = "activeColor";
    if (activeColor === undefined) return [];
    if (activeColor !== Color.blue && activeColor !== Color.green) {
        return [{ path, got: show(activeColor), expected: oneOf(Object.values(Color)) }];
    }
    if (input[activeColor] !== undefined) return [];
    const expected = `a color that has a release: without one it has no pods, and ${NEVER_ZERO}; name its release in ${activeColor}`;
    return [{ path, got: show(activeColor), expected }];
}

/** The share of the side that is not the main one. */
export function weightRules(input: Checked): Violation[] {
    const { strategy, routing, canaryWeight } = input;
    const path = "canaryWeight";
    if (canaryWeight === undefined || strategy === undefined) return [];
    const got = show(canaryWeight);
    if (!(canaryWeight >= 0 && canaryWeight <= 100) || !hasOneDecimal(canaryWeight)) {
        return [{ path, got, expected: "a percentage from 0 to 100 with at most one decimal" }];
    }
    if (canaryWeight === 0) return [];
    if (strategy === Strategy.rolling) {
        return [{ path, got, expected: `0 with strategy "rolling", which has one side` }];
    }
    if (strategy === Strategy.blueGreen && routing === Routing.service) {
        const expected = `0 with strategy "blueGreen" and routing "service": a selector cannot split; routing "nginx" or "gateway" can`;
        return [{ path, got, expected }];
    }
    if (strategy === Strategy.blueGreen && canaryWeight === 100) {
        const expected = `less than 100 with strategy "blueGreen": to give the other color everything, change activeColor`;
        return [{ path, got, expected }];
    }
    const other = otherSide(input);
    if (other === undefined || input[other] !== undefined) return [];
    const expected = `0 while ${other} has no release: name it in ${other}`;
    return [{ path, got, expected }];
}

/** The side that the weight is for. */
function otherSide({ strategy, activeColor }: Checked): Side | undefined {
    const [first, second] = SIDES_OF[strategy as Strategy] ?? [];
    if (strategy !== Strategy.blueGreen) return second;
    return activeColor === first ? second : first;
}

function hasOneDecimal(value: number): boolean {
    return Math.abs(value * 10 - Math.round(value * 10)) < 1e-9;
}
