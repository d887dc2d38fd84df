# Build it from the root of the checkout: docker build -t shop .
FROM python:3.13-slim AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
# Nothing here is kept: collecting files needs no secret and no database.
RUN SECRET_KEY=only-for-this-step /venv/bin/python manage.py collectstatic --no-input \
 && /venv/bin/python -m compileall -q /app

FROM python:3.13-slim
WORKDIR /app
RUN useradd --system --uid 10001 --no-create-home shop
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
USER shop
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT', 8000)}/health\", timeout=2)"]
CMD ["gunicorn", "--no-control-socket", "-c", "deploy/gunicorn.py", "ecommerce.wsgi"]
