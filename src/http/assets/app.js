// Everything works without this. It shows moments in the reader's zone, and keeps what is live up to date.

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

function localise(root) {
  for (const element of root.querySelectorAll('time[datetime]:not([title])')) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    element.title = element.textContent;
    element.textContent = moment.format(at);
  }
}

localise(document);

// A part of the page with data-live is replaced by what its address sends as events, already rendered and escaped there.
for (const part of document.querySelectorAll('[data-live]')) {
  const source = new EventSource(part.dataset.live);
  source.addEventListener('part', (event) => {
    part.innerHTML = event.data;
    localise(part);
  });
  // The rest of the page has changed too.
  source.addEventListener('reload', () => {
    source.close();
    location.reload();
  });
}
