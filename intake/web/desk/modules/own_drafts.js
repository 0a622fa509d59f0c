// @ts-check
// The page of all drafts: what this browser alone has, and no tab is writing, is saved at the desk and shown with the others.
import * as ask from "./ask.js";
import { isFree } from "./draft_fork.js";
import * as local from "./draft_local.js";
import * as regions from "./regions.js";

/** @param {local.Local} each */
async function saved(each) {
  if (!(await isFree(each.fork))) return false;
  const said = { fork: each.fork, kind: each.kind, text: each.text, revision: each.revision, seen: each.seen };
  const first = each.ref ? await ask.post(`/tickets/${each.ref}/drafts`, said) : null;
  const answer = first?.ok ? first : await ask.post(`/drafts/${each.fork}`, said);
  if (answer.ok) local.keep({ ...each, saved: each.revision });
  return answer.ok;
}

const all = await Promise.all(local.unsaved().map(saved));
if (all.some(Boolean)) regions.refresh();
