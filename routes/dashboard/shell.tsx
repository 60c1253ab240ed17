/** @jsxImportSource hono/jsx */
/** The page before anything is known of the node. It says nothing that is not public. Pure. */

export function Shell() {
  return (
    <html lang="en" data-link="waiting">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Tandem</title>
        <link rel="stylesheet" href="dashboard/uplot.css" />
        <link rel="stylesheet" href="dashboard/style.css" />
        <script src="dashboard/uplot.js" defer></script>
        <script src="dashboard/charts.js" defer></script>
        <script src="dashboard/script.js" defer></script>
      </head>
      <body>
        <header>
          <h1>Tandem</h1>
          <p id="link" role="status">Waiting for the node</p>
          <form id="gate" hidden>
            <label for="token">Token</label>
            <input id="token" type="password" autocomplete="current-password" required />
            <button type="submit">Use it</button>
          </form>
          <p id="said" role="status"></p>
        </header>
        <main id="main">
          <div id="top"></div>
          <section aria-labelledby="traffic">
            <h2 id="traffic">Traffic</h2>
            <div id="charts" class="charts"></div>
          </section>
          <div id="rest"></div>
          <section aria-labelledby="configuration">
            <h2 id="configuration">Configuration</h2>
            <p>
              <button type="button" id="compare">Compare with the file</button>
            </p>
            <div id="plan" role="status"></div>
          </section>
        </main>
        <noscript>This page needs JavaScript; `tandem status` does not.</noscript>
      </body>
    </html>
  );
}
