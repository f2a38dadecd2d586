import { BlockList, isIP } from "node:net";
import { ALIAS_NAME } from "./defaults";
import { show, type Violation } from "../validation/violation";

/** Addresses that Kubernetes refuses as endpoints, since they mean something else on each node. */
const UNUSABLE = new BlockList();
UNUSABLE.addSubnet("0.0.0.0", 8, "ipv4");
UNUSABLE.addSubnet("127.0.0.0", 8, "ipv4");
UNUSABLE.addSubnet("169.254.0.0", 16, "ipv4");
UNUSABLE.addSubnet("224.0.0.0", 4, "ipv4");
UNUSABLE.addAddress("::", "ipv6");
UNUSABLE.addAddress("::1", "ipv6");
UNUSABLE.addSubnet("fe80::", 10, "ipv6");
UNUSABLE.addSubnet("ff00::", 8, "ipv6");

/** A host name as DNS and Kubernetes have it. */
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const NAME_CHARACTERS = 253;

/** `ipv4`, `ipv6`, or `name` for everything else. */
export function kindOfHost(host: string): "ipv4" | "ipv6" | "name" {
    const version = isIP(host);
    return version === 0 ? "name" : version === 4 ? "ipv4" : "ipv6";
}

/** What is wrong with the host of an external server that the Service `db` in `namespace` leads to. */
export function checkHost(host: string, namespace?: string): Violation[] {
    const kind = kindOfHost(host);
    const violation = (expected: string) => [{ path: "host", got: show(host), expected }];
    if (kind !== "name") {
        return UNUSABLE.check(host, kind)
            ? violation("an address that every node reaches: not loopback, link-local or multicast")
            : [];
    }
    const isName = host.length <= NAME_CHARACTERS && host.split(".").every((l) => LABEL.test(l));
    // Four numbers are no name, but an address with a mistake in it.
    if (!isName || /^[\d.]+$/.test(host)) {
        return violation(
            'an IP address or a host name of lower-case letters, digits, "-" and ".", without scheme and port',
        );
    }
    if (host === "localhost" || host.endsWith(".localhost")) {
        return violation("a host other than the pod itself");
    }
    const alias = `${ALIAS_NAME}.${namespace}`;
    return [ALIAS_NAME, alias].includes(host) || host.startsWith(`${alias}.svc`)
        ? violation("the external server itself, not the Service that leads there")
        : [];
}
