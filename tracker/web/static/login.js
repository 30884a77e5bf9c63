// The form that asks for the password.
const form = document.getElementById("form");
const problem = document.getElementById("problem");
if (location.search.includes("used")) problem.textContent = "This address was used before, or is too old.";

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("api/login", {
    method: "POST",
    body: JSON.stringify({ password: document.getElementById("password").value }),
  });
  if (answer.ok) location.replace("./");
  else problem.textContent = (await answer.json()).error;
});
