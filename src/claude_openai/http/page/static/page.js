// What every page does. The pages can be read, and runs cancelled, without it.

import { copyButtons } from "./copy.js";
import { follow } from "./follow.js";
import { keyboard } from "./keys.js";
import { keepLive } from "./live.js";
import { searchBox } from "./search.js";
import { localTimes } from "./times.js";
import { playground } from "./try.js";

const { root, live } = document.body.dataset;
localTimes(document);
document.addEventListener("replaced", (event) => localTimes(event.target));
copyButtons();
keyboard(root);
const again = live ? keepLive(live) : () => {};
for (const target of document.querySelectorAll("[data-follow]")) follow(target);
const search = document.getElementById("search");
if (search) searchBox(search, again);
const form = document.getElementById("try");
if (form) playground(form);
