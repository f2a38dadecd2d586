import { parseStackReference, qualifiedName } from "../backend/backend";
import { decryptDeployment, Deployment } from "../backend/state";
import { StackSession } from "../cli/session";
import { isStackUrn } from "../deploy/urn";
import { Inputs } from "../providers/types";
import { openCrypter } from "../secrets/passphrase";

/**
 * A stack's outputs for a StackReference: another stack's as they are, the own stack's as they were
 * before the operation.
 *
 * @returns undefined when there is no such stack
 */
export async function stackOutputs(
    session: StackSession,
    own: Deployment,
    name: string,
): Promise<Inputs | undefined> {
    const { backend, ref, project } = session;
    const wanted = parseStackReference(name, project.name);
    if (qualifiedName(wanted) === qualifiedName(ref)) return outputsOf(own);
    const latest = (await backend.read(wanted))?.checkpoint.latest;
    if (latest === undefined) return undefined;
    return outputsOf(await decryptDeployment(latest, () => crypterOf(session, latest)));
}

/** Another stack's secrets are sealed with its own salt. */
function crypterOf(session: StackSession, deployment: Deployment): ReturnType<typeof openCrypter> {
    const state = deployment.secrets_providers?.state as { salt?: string } | undefined;
    return state?.salt === undefined ? session.secrets.crypter() : openCrypter(state.salt);
}

function outputsOf(deployment: Deployment): Inputs {
    return (deployment.resources ?? []).find(({ urn }) => isStackUrn(urn))?.outputs ?? {};
}
